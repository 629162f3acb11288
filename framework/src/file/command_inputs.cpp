#include "file/command_inputs.h"

#include <algorithm>
#include <system_error>

#include "file/feature_files.h"
#include "file/folder_entries.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

namespace fs = std::filesystem;

/// The same path however it is written, and through which links; "" when the system does not say.
fs::path plain(const fs::path& path) {
  std::error_code error;
  auto absolute = fs::absolute(path.empty() ? "." : path, error);
  if (!error) absolute = fs::weakly_canonical(absolute, error);
  if (error) return {};
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

bool are_the_same(const fs::path& output, const fs::path& input) {
  std::error_code error;
  if (fs::equivalent(output, input, error)) return fs::is_regular_file(output, error);
  const auto one = plain(output);
  return !one.empty() && one == plain(input);
}

}  // namespace

void CommandInputs::add(const fs::path& file) {
  std::error_code error;
  if (!file.empty() && !fs::is_directory(file, error)) files_.push_back(file);
}

void CommandInputs::add_all(const fs::path& path) {
  add(path);
  for (const auto& entry : folder_entries(path)) add(entry);
}

void CommandInputs::add_features(const fs::path& file) {
  const auto files = files_of_features(file);
  files_.insert(files_.end(), files.begin(), files.end());
}

void CommandInputs::require_kept(const std::string& option, const fs::path& output) {
  if (output.empty()) return;
  for (const auto& [other, path] : outputs_) {
    if (other == option || !are_the_same(output, path)) continue;
    throw RecipeError({option + " " + output.string(), 0, 0},
                      "is what " + other + " writes, too; give each a path of its own");
  }
  outputs_.emplace_back(option, output);
  const auto found = std::find_if(files_.begin(), files_.end(),
                                  [&](const fs::path& input) { return are_the_same(output, input); });
  if (found == files_.end()) return;
  throw RecipeError({option + " " + output.string(), 0, 0}, "would replace '" + found->string() +
                                                                "', which this command reads; give another "
                                                                "path");
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto inner = plain(path);
  const auto outer = plain(folder);
  return !outer.empty() &&
         std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace kindred::file
