#include "training/run_directory.h"

#include <ATen/Parallel.h>

#include <opencv2/core/utility.hpp>
#include <ostream>
#include <string>
#include <utility>

#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "recipe/affects.h"
#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"
#include "results/environment_file.h"
#include "system/device.h"
#include "system/precision.h"
#include "system/version.h"
#include "training/extension.h"

namespace kindred::training {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::optional<Value> binding_recipe(const fs::path& run_directory) {
  const auto recipe = run_directory / recipe_name;
  // A start that failed before anything was trained binds nobody.
  const bool begun = fs::exists(run_directory / checkpoint_name) || fs::exists(run_directory / model_name);
  return begun && fs::exists(recipe) ? std::optional(recipe::load_recipe(recipe, {})) : std::nullopt;
}

RunDirectory::RunDirectory(fs::path folder, bool writes) : folder_(std::move(folder)) {
  if (writes) lock_.emplace(folder_);
}

void RunDirectory::require_recipe(const recipe::Plan& plan) const {
  const auto binding = binding_recipe(folder_);
  if (!binding) return;
  const auto begun = recipe::part_affecting(Affects::training, *binding, *plan.catalog);
  const auto differences = recipe::recipe_differences(begun, plan.identity());
  if (differences.empty()) return;
  const auto extension = extension_in(folder_, begun, plan);
  if (extension && extension->refusal.empty()) return;
  throw DataError(
      folder_,
      "belongs to another recipe; use another run directory, or revert these changes of the recipe:" +
          recipe::differences_text(differences) + (extension ? "\n" + extension->refusal : ""));
}

void RunDirectory::record_recipe(const recipe::Plan& plan) const {
  require_recipe(plan);
  const std::string text = recipe::write_recipe(plan.resolved());
  file::write_atomically(recipe(), [&](std::ostream& stream) { stream << text; });
}

void RunDirectory::write_environment(torch::Device device, system::Precision precision) const {
  results::EnvironmentFile file;
  file.kindred = system::kindred_version;
  file.libtorch = system::torch_version();
  file.opencv = cv::getVersionString();
  file.blas = system::blas_name();
  file.device = system::device_text(device);
  file.processor = system::processor_name();
  file.threads = at::get_num_threads();
  file.memory_format = "channels_last";
  file.precision = system::precision_name(precision);
  file.write(environment());
}

}  // namespace kindred::training
