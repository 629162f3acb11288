// The hidden folder in which another file is made.
#pragma once

#include <filesystem>

namespace kindred::file {

/// ".NAME.tmp" beside a target called NAME, empty; where another process works in one, ".NAME.1.tmp" and so
/// on (hidden_path.h). One that a killed process has left is removed first. It is removed in the end, with
/// all that is in it.
class FolderBeside {
 public:
  /// Makes the folders above where needed. Throws DataError naming the target.
  explicit FolderBeside(const std::filesystem::path& target);
  ~FolderBeside();
  FolderBeside(const FolderBeside&) = delete;
  FolderBeside& operator=(const FolderBeside&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;  ///< of the folder, which is claimed (abandoned.h)
};

}  // namespace kindred::file
