// One stage of a pipeline: what it reads, what decides its result, and how it is carried out.
#pragma once

#include <torch/types.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/sample.h"
#include "progress/progress.h"
#include "ranking/evaluation.h"
#include "recipe/affects.h"
#include "recipe/plan.h"
#include "system/ranks.h"
#include "training/extension.h"

namespace kindred::stage {

/// Results of other stages that a stage reads.
struct StageInput {
  std::string key;                 ///< of the stage's table: "model"
  std::vector<std::string> names;  ///< of the stages
  std::vector<std::string> types;  ///< of stages whose results fit
  SourceLocation location;         ///< of the key's value
};

/// Images that a stage reads.
struct StageData {
  recipe::DataPlan plan;
  std::vector<Split> splits;
  bool pixels = true;  ///< else what is known of the images alone
};

/// Where a stage is carried out.
struct StageContext {
  const Catalog& catalog;
  std::filesystem::path folder;                                              ///< of this stage
  std::function<std::filesystem::path(const std::string& stage)> folder_of;  ///< of another one
  torch::Device device;
  progress::ProgressSink& progress;
  const std::atomic<bool>& stop;
  const system::Ranks& ranks;  ///< those that work on the stage together, if it is_shared()
};

struct StageResult {
  bool interrupted = false;  ///< `stop` was set; the same call goes on or begins anew
  std::int64_t images = 0;   ///< that were worked on: for the cost table
};

class Stage {
 public:
  virtual ~Stage();

  std::string name;
  SourceLocation location;         ///< of the table
  std::vector<StageInput> inputs;  ///< what its keys with Meaning::stage name

  /// "train"
  [[nodiscard]] virtual std::string type() const = 0;
  /// Called once all stages are there, before anything else: for what a stage must know of those that it
  /// reads.
  /// @param stage_of the stage of a name in `inputs`
  virtual void link(const std::function<const Stage&(const std::string&)>& stage_of);

  /// Every parameter that decides the result, defaults too, as a recipe; not the data, nor where files lie,
  /// nor the machine.
  [[nodiscard]] virtual Value settings() const = 0;
  /// The components that its table and its recipe choose.
  [[nodiscard]] virtual std::vector<const ComponentInfo*> components() const = 0;
  /// Those whose code decides the result, of which the others may be a part: that of a model, too. Throws
  /// DataError for a damaged model file that says which.
  [[nodiscard]] virtual std::vector<const ComponentInfo*> code() const { return components(); }
  /// The images that it reads, also those that it finds by the paths in what others have left.
  [[nodiscard]] virtual std::vector<StageData> data() const;
  /// The recipe of the model that it trains; nullptr when it trains none.
  [[nodiscard]] virtual const recipe::Plan* model_plan() const { return nullptr; }
  /// Files from outside that it reads, beside the images: those that its keys with Meaning::file name.
  [[nodiscard]] virtual std::vector<recipe::NamedFile> files() const;
  /// Whether what its folder holds, begun with other settings, is a beginning of what it makes now, so that
  /// it goes on from there; nothing when it is not.
  /// @param begun settings() then
  [[nodiscard]] virtual std::optional<training::Extension> extension(
      const Value& begun, const std::filesystem::path& folder) const;
  /// Whether its folder holds work that must not be lost to another recipe (Pipeline::keep_training).
  [[nodiscard]] virtual bool is_worth_keeping(const std::filesystem::path& folder) const;
  /// What it has made, in its folder: what other stages read, and what must be the same when it is made
  /// again. Logs and times are not among them.
  [[nodiscard]] virtual std::vector<std::string> results(const std::filesystem::path& folder) const = 0;

  /// Whether several ranks work on it together: run() is then called on all of them, and rank 0 writes.
  [[nodiscard]] virtual bool is_shared() const { return false; }

  /// Everything about it that can be known before the stages in front of it have run. Throws as the
  /// components do.
  virtual void check() const = 0;
  /// The same for what takes the data and the device to know, of a stage that is about to run.
  virtual void check_on(torch::Device device) const;
  [[nodiscard]] virtual StageResult run(const StageContext& context) const = 0;
};

}  // namespace kindred::stage
