// Several files that take the place of earlier ones together.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kindred::file {

/// A hidden folder inside a folder, for files that belong together. What the folder holds stays as it is
/// until take_place(); what has not taken its place by then is removed. The folder of a process that was
/// killed, which may hold files of both, goes when others have taken their place.
class StagedFiles {
 public:
  /// Makes the folder where needed. Throws DataError.
  explicit StagedFiles(std::filesystem::path folder);
  ~StagedFiles();
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

  /// Where the files are to be written.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Removes the files of these names from the folder and puts there what was written. Throws DataError, and
  /// then the folder holds what it held before.
  void take_place(const std::vector<std::string>& replaced);

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
  int descriptor_ = -1;  ///< of the hidden folder, which is claimed (abandoned.h)
};

}  // namespace kindred::file
