// The hidden file that becomes another one when it is complete.
#pragma once

#include <filesystem>

namespace kindred::file {

/// ".NAME.tmp" beside a target called NAME, open and empty; where another process writes one, ".NAME.1.tmp"
/// and so on (hidden_path.h). One that a killed process has left is removed first. It is closed and removed
/// again unless it was moved to its target.
class TemporaryFile {
 public:
  /// @param target in a folder that is there. Throws DataError naming it.
  explicit TemporaryFile(std::filesystem::path target);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Puts what is written on disk and renames it over the target, which closes it. Throws DataError naming
  /// the target.
  void move_to_target();

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace kindred::file
