#include "application/gallery_folder.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "application/gallery_log.h"
#include "file/atomic_file.h"
#include "file/folder_entries.h"
#include "file/presence.h"
#include "file/sha256.h"
#include "kindred/core/error.h"

namespace kindred::application {
namespace {

namespace fs = std::filesystem;

bool is_empty_folder(const fs::path& folder) {
  const auto entries = file::folder_entries(folder);
  return std::all_of(entries.begin(), entries.end(), [](const fs::path& file) {
    return file.filename() == file::FolderLock::name || file::is_unfinished_file(file);
  });
}

void keep_copy(const fs::path& file, const fs::path& copy) {
  const auto unfinished = copy.parent_path() / ("." + copy.filename().string() + ".tmp");
  std::error_code error;
  fs::copy_file(file, unfinished, fs::copy_options::overwrite_existing, error);
  if (error) throw DataError(copy, "cannot be written: " + error.message());
  file::put_in_place(unfinished, copy);
}

bool have_one_content(const fs::path& one, const fs::path& other) {
  std::error_code error;
  const auto size = fs::file_size(one, error);
  return !error && size == fs::file_size(other, error) && !error &&
         file::sha256_of_file(one) == file::sha256_of_file(other);
}

}  // namespace

void require_new_gallery(const fs::path& folder) {
  if (!file::is_there(folder)) return;
  if (std::error_code error; !fs::is_directory(folder, error)) {
    throw DataError(folder, "is a file; name a folder for the gallery that does not exist");
  }
  if (file::is_there(folder / gallery_log_name)) {
    throw DataError(folder,
                    "is a gallery already; search in it as it is, open it in a program to add to it, or name "
                    "another folder");
  }
  if (!is_empty_folder(folder)) {
    throw DataError(folder,
                    "holds files that are not a gallery's; name a folder that is empty or does not exist");
  }
}

std::unique_ptr<file::FolderLock> lock_gallery(const fs::path& folder) {
  return std::make_unique<file::FolderLock>(folder, "gallery");
}

std::unique_ptr<file::FolderLock> make_gallery_folder(const fs::path& folder) {
  require_new_gallery(folder);
  auto lock = lock_gallery(folder);
  require_new_gallery(folder);
  return lock;
}

fs::path keep_damaged(const fs::path& log) {
  for (int number = 1;; ++number) {
    auto copy = log;
    copy += number == 1 ? std::string(".damaged") : ".damaged." + std::to_string(number);
    if (!file::is_there(copy)) {
      keep_copy(log, copy);
      return copy;
    }
    // It is there already where the log was not written again after all.
    if (have_one_content(copy, log)) return copy;
  }
}

}  // namespace kindred::application
