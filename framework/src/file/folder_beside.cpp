#include "file/folder_beside.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "file/abandoned.h"
#include "file/hidden_path.h"
#include "file/new_folders.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace fs = std::filesystem;

FolderBeside::FolderBeside(const fs::path& target) {
  const auto parent = fs::absolute(target).parent_path();
  make_folders(parent);
  std::error_code error;
  bool shortened = false;
  for (int number = 0; descriptor_ < 0;) {
    path_ = hidden_path(parent / target.filename(), number, shortened);
    const bool made = fs::create_directory(path_, error);
    if (error == std::errc::filename_too_long && !std::exchange(shortened, true)) continue;
    if (!made && error && error != std::errc::file_exists) {
      throw DataError(target, "cannot be written: " + error.message());
    }
    if (!made) {
      if (!remove_if_abandoned(path_)) ++number;
      continue;
    }
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ < 0) {
      const int failure = errno;
      fs::remove(path_, error);
      throw DataError(target, "cannot be written: " + std::generic_category().message(failure));
    }
    if (!claim(descriptor_, path_)) ::close(std::exchange(descriptor_, -1));
  }
}

FolderBeside::~FolderBeside() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(descriptor_);
}

}  // namespace kindred::file
