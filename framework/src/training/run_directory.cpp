#include "training/run_directory.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>
#include <utility>

#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"
#include "system/device.h"
#include "system/precision.h"
#include "system/version.h"

namespace kindred::training {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> top_keys(const Value& recipe) {
  std::vector<std::string> keys;
  if (const auto* table = recipe.as<Table>()) {
    for (const auto& entry : table->entries()) keys.push_back(entry.key);
  }
  return keys;
}

}  // namespace

std::vector<recipe::RecipeDifference> deciding_differences(const Value& there, const recipe::Plan& plan) {
  const Value resolved = plan.resolved();
  const Value identity = plan.identity();
  const auto left_out = recipe::recipe_differences(identity, resolved);
  const auto tables = top_keys(identity);
  auto differences = recipe::recipe_differences(there, resolved);
  differences.erase(std::remove_if(differences.begin(), differences.end(),
                                   [&](const recipe::RecipeDifference& difference) {
                                     const auto table = difference.key.substr(0, difference.key.find('.'));
                                     if (std::find(tables.begin(), tables.end(), table) == tables.end())
                                       return true;
                                     return std::any_of(
                                         left_out.begin(), left_out.end(),
                                         [&](const auto& entry) { return entry.key == difference.key; });
                                   }),
                    differences.end());
  return differences;
}

std::optional<Value> binding_recipe(const fs::path& run_directory) {
  const auto recipe = run_directory / recipe_name;
  // A start that failed before anything was trained binds nobody.
  const bool begun = fs::exists(run_directory / checkpoint_name) || fs::exists(run_directory / model_name);
  return begun && fs::exists(recipe) ? std::optional(recipe::load_recipe(recipe, {})) : std::nullopt;
}

RunDirectory::RunDirectory(fs::path folder) : folder_(std::move(folder)), lock_(folder_) {
  if (!fs::exists(folder_ / "pipeline.toml")) return;
  throw DataError(folder_, "contains the run of a pipeline; use another run directory");
}

void RunDirectory::record_recipe(const recipe::Plan& plan) const {
  if (const auto binding = binding_recipe(folder_)) {
    const auto differences = deciding_differences(*binding, plan);
    if (!differences.empty()) {
      throw DataError(
          folder_,
          "belongs to another recipe; use another run directory, or revert these changes of the recipe:" +
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
