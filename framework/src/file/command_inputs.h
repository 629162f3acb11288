// What a command reads and writes: no output may replace the one or the other.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kindred::file {

class CommandInputs {
 public:
  /// A file; a folder, and a path that is empty, add nothing.
  void add(const std::filesystem::path& file);
  /// A file, or all files of a folder.
  void add_all(const std::filesystem::path& path);
  /// All files of features, as read_features() takes them.
  void add_features(const std::filesystem::path& file);

  /// Throws RecipeError when an output is one of these files, or one that was asked about before, by whatever
  /// name. To be called before anything is computed.
  /// @param option which names the output, "--json"
  /// @param output empty: none was asked for
  void require_kept(const std::string& option, const std::filesystem::path& output);

 private:
  std::vector<std::filesystem::path> files_;
  std::vector<std::pair<std::string, std::filesystem::path>> outputs_;  ///< with their options
};

/// Whether a path is the folder, or something in it or below; neither need exist.
[[nodiscard]] bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace kindred::file
