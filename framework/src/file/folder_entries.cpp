#include "file/folder_entries.h"

#include "file/read_error.h"

namespace kindred::file {

std::vector<std::filesystem::path> folder_entries(const std::filesystem::path& folder) {
  std::error_code error;
  auto entries = folder_entries(folder, error);
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory) {
    throw ReadError(folder, "cannot be listed: " + error.message());
  }
  return entries;
}

std::vector<std::filesystem::path> folder_entries(const std::filesystem::path& folder,
                                                  std::error_code& error) {
  std::vector<std::filesystem::path> entries;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  return entries;
}

}  // namespace kindred::file
