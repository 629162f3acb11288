#include "file/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

#include "file/atomic_file.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

namespace fs = std::filesystem;

/// The lock itself is the kernel's and ends with the process, however that ends; the file's text only says
/// whose it is.
int lock(const fs::path& folder, const std::string& what) {
  const fs::path file = folder / FolderLock::name;
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0)
    throw DataError(folder, "cannot be used as a " + what + ": " + std::generic_category().message(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(descriptor);
    if (error == EWOULDBLOCK) {
      std::string owner;
      std::getline(std::ifstream(file), owner);
      throw DataError(folder, "is in use by " + (owner.empty() ? "another process" : "process " + owner) +
                                  "; wait until it ends, or use another " + what);
    }
    throw DataError(folder, "cannot be locked: " + std::generic_category().message(error) +
                                "; use a folder on another file system, as this " + what +
                                " must be one process's at a time");
  }
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 ||
      ::write(descriptor, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    const int error = errno;
    ::close(descriptor);
    throw DataError(file, "cannot be written: " + std::generic_category().message(error));
  }
  return descriptor;
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder, const std::string& what) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw DataError(folder, "cannot be created: " + error.message());
  descriptor_ = lock(folder, what);
  remove_unfinished_files(folder);
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace kindred::file
