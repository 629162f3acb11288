// The directory of a run: one recipe, one process at a time, everything that the run leaves behind.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <optional>

#include "file/folder_lock.h"
#include "recipe/plan.h"
#include "recipe/recipe_difference.h"
#include "results/environment_file.h"
#include "results/metrics_file.h"

namespace kindred::training {

inline constexpr const char* recipe_name = "recipe.toml";
inline constexpr const char* checkpoint_name = "checkpoint.safetensors";
inline constexpr const char* model_name = "model.safetensors";

/// The recipe of the checkpoint or the model that a run directory holds; nothing when it holds neither.
[[nodiscard]] std::optional<Value> binding_recipe(const std::filesystem::path& run_directory);

class RunDirectory {
 public:
  /// Makes the folder where needed and locks it until destruction (folder_lock.h).
  /// @param writes false: for a rank that leaves both, and all writing, to rank 0
  explicit RunDirectory(std::filesystem::path folder, bool writes = true);

  /// Throws DataError naming the keys when the directory holds a checkpoint or a model of a recipe with
  /// another Plan::identity(), unless it can go on to the plan's epochs (extension.h).
  void require_recipe(const recipe::Plan& plan) const;

  /// The same; then writes recipe.toml, the plan with every default explicit.
  void record_recipe(const recipe::Plan& plan) const;

  /// Writes environment.json (environment_file.h).
  void write_environment(torch::Device device, system::Precision precision) const;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path recipe() const { return folder_ / recipe_name; }
  [[nodiscard]] std::filesystem::path environment() const { return folder_ / results::EnvironmentFile::name; }
  [[nodiscard]] std::filesystem::path metrics() const { return folder_ / results::MetricsFile::name; }
  [[nodiscard]] std::filesystem::path log() const { return folder_ / "log.txt"; }
  [[nodiscard]] std::filesystem::path checkpoint() const { return folder_ / checkpoint_name; }
  [[nodiscard]] std::filesystem::path model() const { return folder_ / model_name; }
  /// The averaged weights, where training keeps them.
  [[nodiscard]] std::filesystem::path averaged_model() const { return folder_ / "model.ema.safetensors"; }
  /// The model of the epoch with the best score, when training evaluates in between.
  [[nodiscard]] std::filesystem::path best() const { return folder_ / "best.safetensors"; }

 private:
  std::filesystem::path folder_;
  std::optional<file::FolderLock> lock_;
};

}  // namespace kindred::training
