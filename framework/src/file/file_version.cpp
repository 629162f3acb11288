#include "file/file_version.h"

#include <sys/stat.h>

#include <utility>

#include "kindred/core/error.h"

namespace kindred::file {

FileVersion::State FileVersion::State::of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {
      .device = status.st_dev,
      .inode = status.st_ino,
      .size = static_cast<std::uint64_t>(status.st_size),
      .written = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
}

FileVersion::FileVersion(std::filesystem::path file) : file_(std::move(file)), state_(State::of(file_)) {}

void FileVersion::require_unchanged() const {
  if (State::of(file_) == state_) return;
  throw DataError(
      file_,
      "was replaced or written while it was read, so it may not fit what was read with it; give the "
      "command again when nobody writes there");
}

}  // namespace kindred::file
