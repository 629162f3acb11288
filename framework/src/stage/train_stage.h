// Stage "train" of a pipeline: a recipe -> a model.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stage/stage.h"
#include "stage/stage_reader.h"

namespace kindred::stage {

class TrainStage final : public Stage {
 public:
  struct Settings {
    std::vector<std::string> labels;
    std::optional<std::string> start_from;
    std::optional<std::string> losses_from;
    static Schema<Settings> schema();
  };

  explicit TrainStage(StageReader& reader);

  [[nodiscard]] std::string type() const override { return "train"; }
  void link(const std::function<const Stage&(const std::string&)>& stage_of) override;
  [[nodiscard]] Value settings() const override;
  [[nodiscard]] std::vector<const ComponentInfo*> components() const override;
  [[nodiscard]] std::vector<const ComponentInfo*> code() const override;
  [[nodiscard]] std::vector<StageData> data() const override;
  [[nodiscard]] const recipe::Plan* model_plan() const override { return &plan_; }
  [[nodiscard]] std::vector<recipe::NamedFile> files() const override;
  [[nodiscard]] std::optional<training::Extension> extension(
      const Value& begun, const std::filesystem::path& folder) const override;
  [[nodiscard]] bool is_worth_keeping(const std::filesystem::path& folder) const override;
  [[nodiscard]] std::vector<std::string> results(const std::filesystem::path& folder) const override;
  [[nodiscard]] bool is_shared() const override { return true; }
  void check() const override;
  /// Throws for a precision that the device lacks and, without pseudo labels, for images that nothing can be
  /// learned from.
  void check_on(torch::Device device) const override;
  [[nodiscard]] StageResult run(const StageContext& context) const override;

 private:
  Settings settings_;
  recipe::Plan plan_;
  std::vector<std::optional<recipe::DatasetChoice>>
      label_data_;  ///< of each of labels, where not the plan's own
  std::vector<StageData> labeled_;
};

/// What a stage "train" that has run leaves in its folder: its model, and that of the averaged weights where
/// there is one.
[[nodiscard]] std::vector<std::filesystem::path> trained_models(const std::filesystem::path& folder);

/// The model of a stage "train" that has run: the averaged weights where there are any.
[[nodiscard]] std::filesystem::path trained_model(const std::filesystem::path& folder);

}  // namespace kindred::stage
