#include "file/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include "file/atomic_file.h"
#include "file/new_folders.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

namespace fs = std::filesystem;

/// "process 123", or "another process" where the file says anything else: whoever may write to the folder may
/// have written that.
std::string owner_in(int descriptor) {
  std::array<char, 24> text{};
  const auto size = ::pread(descriptor, text.data(), text.size(), 0);
  const std::string_view line(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto number = line.substr(0, line.find('\n'));
  const bool is_number = !number.empty() && number.size() < line.size() &&
                         number.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number ? "process " + std::string(number) : "another process";
}

std::string unusable(const std::string& what) {
  return "cannot be used as a " + what + ": ";
}

/// The lock itself is the kernel's and ends with the process, however that ends; the file's text only says
/// whose it is.
int lock(const fs::path& folder, const std::string& what) {
  const fs::path file = folder / FolderLock::name;
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw DataError(folder, unusable(what) + std::generic_category().message(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const auto owner = owner_in(descriptor);
    ::close(descriptor);
    if (error == EWOULDBLOCK) {
      throw DataError(folder, "is in use by " + owner + "; wait until it ends, or use another " + what);
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
  make_folders(folder);
  descriptor_ = lock(folder, what);
  remove_unfinished_files(folder);
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

void require_lockable(const fs::path& folder, const std::string& what) {
  const auto may = [](const fs::path& path, int rights) {
    return ::faccessat(AT_FDCWD, path.c_str(), rights, AT_EACCESS) == 0;
  };
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) {
    const auto file = folder / FolderLock::name;
    if (fs::exists(file, ignored) ? may(file, R_OK | W_OK) : may(folder, W_OK | X_OK)) return;
    throw DataError(folder, unusable(what) + std::generic_category().message(errno));
  }
  auto above = fs::absolute(folder, ignored);
  while (above.has_relative_path() && !fs::exists(above, ignored)) above = above.parent_path();
  int reason = ENOTDIR;
  if (fs::is_directory(above, ignored)) {
    if (may(above, W_OK | X_OK)) return;
    reason = errno;
  }
  throw DataError(folder, "cannot be created: " + std::generic_category().message(reason));
}

}  // namespace kindred::file
