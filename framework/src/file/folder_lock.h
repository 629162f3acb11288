// A folder in which one process works at a time.
#pragma once

#include <filesystem>
#include <string>

namespace kindred::file {

/// Holds a folder's lock from construction to destruction, or to the end of the process, however that comes.
class FolderLock {
 public:
  /// Of the file in the folder that is locked.
  static constexpr const char* name = ".lock";

  /// Makes the folder where needed, locks it and removes what a killed process was writing there
  /// (write_atomically). Throws DataError naming the process that works in it already.
  /// @param what messages call the folder so
  explicit FolderLock(const std::filesystem::path& folder, const std::string& what = "run directory");
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Throws as FolderLock does where the folder can neither be made nor written to, and changes nothing.
/// Whether it is in use remains to be seen.
void require_lockable(const std::filesystem::path& folder, const std::string& what = "run directory");

}  // namespace kindred::file
