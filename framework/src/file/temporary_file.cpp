#include "file/temporary_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "file/abandoned.h"
#include "file/hidden_path.h"
#include "kindred/core/error.h"

namespace kindred::file {

TemporaryFile::TemporaryFile(std::filesystem::path target) : target_(std::move(target)) {
  bool shortened = false;
  for (int number = 0; descriptor_ < 0;) {
    path_ = hidden_path(target_, number, shortened);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno == ENAMETOOLONG && !std::exchange(shortened, true)) continue;
    if (descriptor_ < 0 && errno != EEXIST) {
      throw DataError(target_, "cannot be written: " + std::generic_category().message(errno));
    }
    if (descriptor_ < 0) {
      if (!remove_if_abandoned(path_)) ++number;
    } else if (!claim(descriptor_, path_)) {
      ::close(std::exchange(descriptor_, -1));
    }
  }
}

TemporaryFile::~TemporaryFile() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

void TemporaryFile::move_to_target() {
  if (::fsync(descriptor_) != 0)
    throw DataError(target_, "cannot be written to disk: " + std::generic_category().message(errno));
  // Some file systems tell only when a file is closed that the disk is full. It stays claimed until it has
  // its name.
  const int copy = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw DataError(target_, "cannot be written: " + std::generic_category().message(errno));
  if (::close(std::exchange(descriptor_, copy)) != 0) {
    throw DataError(target_, "cannot be written: " + std::generic_category().message(errno));
  }
  if (::rename(path_.c_str(), target_.c_str()) != 0) {
    throw DataError(target_, "cannot be replaced: " + std::generic_category().message(errno));
  }
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace kindred::file
