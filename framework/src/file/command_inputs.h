// What a command reads, which its outputs must not replace.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kindred::file {

class CommandInputs {
 public:
  /// A file; a folder, and a path that is empty, add nothing.
  void add(const std::filesystem::path& file);
  /// All files of features, as read_features() takes them.
  void add_features(const std::filesystem::path& file);

  /// Throws RecipeError when an output is one of these files, by whatever name. To be called before anything
  /// is computed.
  /// @param option which names the output, "--json"
  /// @param output empty: none was asked for
  void require_kept(const std::string& option, const std::filesystem::path& output) const;

 private:
  std::vector<std::filesystem::path> files_;
};

/// Whether a path is the folder, or something in it or below; neither need exist.
[[nodiscard]] bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace kindred::file
