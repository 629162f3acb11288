#include "file/abandoned.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace kindred::file {
namespace {

/// Whether a descriptor is of what lies at a path now: it may have been renamed or removed since.
bool is_at(int descriptor, const std::filesystem::path& path) {
  struct stat opened {};
  struct stat found {};
  return ::fstat(descriptor, &opened) == 0 && ::lstat(path.c_str(), &found) == 0 &&
         opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

}  // namespace

bool claim(int descriptor, const std::filesystem::path& path) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  return is_at(descriptor, path);
}

bool remove_if_abandoned(const std::filesystem::path& path) {
  // Nothing is waited for: neither the other end of a pipe nor a lock.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (descriptor < 0) return false;
  std::error_code error;
  const bool abandoned = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_at(descriptor, path);
  if (abandoned) std::filesystem::remove_all(path, error);
  ::close(descriptor);
  return abandoned && !error;
}

}  // namespace kindred::file
