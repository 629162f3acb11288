#include "training/run_directory.h"

#include <ATen/Parallel.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>
#include <system_error>
#include <utility>

#include "file/atomic_file.h"
#include "kindred/error.h"
#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"
#include "system/device.h"
#include "system/precision.h"
#include "system/version.h"

namespace kindred {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// The lock itself is the kernel's and ends with the process, however that ends; the file's text only says
/// whose it is.
int lock(const fs::path& folder) {
  const fs::path file = folder / ".lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw DataError(folder, "cannot be used as a run directory: " + reason(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(descriptor);
    if (error == EWOULDBLOCK) {
      std::string owner;
      std::getline(std::ifstream(file), owner);
      throw DataError(folder, "is in use by " + (owner.empty() ? "another process" : "process " + owner) +
                                  "; wait until it has ended, or use another run directory");
    }
    throw DataError(folder, "cannot be locked: " + reason(error));
  }
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 ||
      ::write(descriptor, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    const int error = errno;
    ::close(descriptor);
    throw DataError(file, "cannot be written: " + reason(error));
  }
  return descriptor;
}

std::vector<std::string> top_keys(const Value& recipe) {
  std::vector<std::string> keys;
  if (const auto* table = recipe.as<Table>()) {
    for (const auto& entry : table->entries()) keys.push_back(entry.key);
  }
  return keys;
}

}  // namespace

std::vector<RecipeDifference> deciding_differences(const Value& there, const Plan& plan) {
  const Value frozen = plan.frozen();
  const Value identity = plan.identity();
  const auto left_out = recipe_differences(identity, frozen);
  const auto tables = top_keys(identity);
  auto differences = recipe_differences(there, frozen);
  differences.erase(std::remove_if(differences.begin(), differences.end(),
                                   [&](const RecipeDifference& difference) {
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
  return begun && fs::exists(recipe) ? std::optional(load_recipe(recipe, {})) : std::nullopt;
}

namespace {

/// A killed process leaves what it was writing (write_atomically); nobody else writes here now.
void remove_remains(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto name = entry.path().filename().string();
    std::error_code ignored;
    if (name.front() == '.' && entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
  }
}

}  // namespace

RunDirectory::RunDirectory(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw DataError(folder_, "cannot be made: " + error.message());
  lock_ = lock(folder_);
  remove_remains(folder_);
}

RunDirectory::~RunDirectory() {
  ::close(lock_);
}

void RunDirectory::freeze(const Plan& plan) const {
  if (const auto binding = binding_recipe(folder_)) {
    const auto differences = deciding_differences(*binding, plan);
    if (!differences.empty()) {
      throw DataError(folder_,
                      "belongs to another recipe; use another run directory, or undo in the recipe:" +
                          differences_text(differences));
    }
  }
  const std::string text = write_recipe(plan.frozen());
  write_atomically(recipe(), [&](std::ostream& stream) { stream << text; });
}

void RunDirectory::write_environment(torch::Device device, Precision precision) const {
  nlohmann::ordered_json json;
  json["kindred"] = kindred_version;
  json["libtorch"] = torch_version();
  json["opencv"] = cv::getVersionString();
  json["blas"] = blas_name();
  json["device"] = device_text(device);
  json["processor"] = processor_name();
  json["threads"] = at::get_num_threads();
  json["memory_format"] = "channels_last";
  json["precision"] = precision_name(precision);
  write_atomically(environment(), [&](std::ostream& stream) { stream << json.dump(2) << '\n'; });
}

}  // namespace kindred
