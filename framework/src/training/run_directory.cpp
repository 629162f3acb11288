#include "training/run_directory.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>
#include <utility>

#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "recipe/affects.h"
#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"
#include "system/device.h"
#include "system/precision.h"
#include "system/version.h"

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

RunDirectory::RunDirectory(fs::path folder) : folder_(std::move(folder)), lock_(folder_) {}

void RunDirectory::record_recipe(const recipe::Plan& plan) const {
  if (const auto binding = binding_recipe(folder_)) {
    const auto differences = recipe::recipe_differences(
        recipe::part_affecting(Affects::training, *binding, *plan.catalog), plan.identity());
    if (!differences.empty()) {
      throw DataError(folder_,
                      "belongs to another recipe; use another run directory, or undo in the recipe:" +
                          recipe::differences_text(differences));
    }
  }
  const std::string text = recipe::write_recipe(plan.resolved());
  file::write_atomically(recipe(), [&](std::ostream& stream) { stream << text; });
}

void RunDirectory::write_environment(torch::Device device, system::Precision precision) const {
  nlohmann::ordered_json json;
  json["kindred"] = system::kindred_version;
  json["libtorch"] = system::torch_version();
  json["opencv"] = cv::getVersionString();
  json["blas"] = system::blas_name();
  json["device"] = system::device_text(device);
  json["processor"] = system::processor_name();
  json["threads"] = at::get_num_threads();
  json["memory_format"] = "channels_last";
  json["precision"] = system::precision_name(precision);
  file::write_atomically(environment(), [&](std::ostream& stream) { stream << json.dump(2) << '\n'; });
}

}  // namespace kindred::training
