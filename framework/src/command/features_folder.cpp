#include "command/features_folder.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "file/atomic_file.h"
#include "file/feature_files.h"
#include "file/file_kind.h"
#include "file/folder_entries.h"
#include "kindred/core/error.h"

namespace kindred::command {
namespace {

namespace fs = std::filesystem;

constexpr const char* query_file = "query.npy";
constexpr const char* gallery_file = "gallery.npy";

bool holds_features(const fs::path& folder) {
  return file::has_features(folder / query_file) || file::has_features(folder / gallery_file);
}

}  // namespace

fs::path features_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    throw DataError(folder, error ? "cannot be read: " + error.message() : "does not exist");
  }
  if (!fs::is_directory(folder, error)) {
    throw DataError(
        folder, "is " + file::description_of(file::file_kind(folder)) +
                    "; give a folder with query.npy and gallery.npy, as `kindred embed` writes it, or the "
                    "folder of a run");
  }
  if (holds_features(folder)) return folder;
  std::vector<std::string> found;
  for (const auto& entry : file::folder_entries(folder)) {
    // What a killed extraction has left is never taken for a stage.
    if (file::is_unfinished_file(entry)) continue;
    if (holds_features(entry)) found.push_back(entry.string());
  }
  std::sort(found.begin(), found.end());
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    throw DataError(folder, "holds the features of several stages; give one of " + quoted_list(found));
  }
  throw DataError(folder,
                  "has neither query.npy nor gallery.npy, neither itself nor in a folder of a stage; extract "
                  "the features with `kindred run` or `kindred embed`");
}

fs::path search_features_folder(const fs::path& folder) {
  auto found = features_folder(folder);
  if (!file::has_features(found / query_file)) {
    throw DataError(
        found,
        "has gallery.npy and no query.npy, as the images are not divided into queries and gallery; "
        "give the two with --query and --gallery: the same file for both compares its images "
        "with each other");
  }
  if (!file::has_features(found / gallery_file)) {
    throw DataError(
        found,
        "has query.npy and no gallery.npy, so there is nothing to look among; extract the features "
        "of a gallery, or give both files with --query and --gallery");
  }
  return found;
}

}  // namespace kindred::command
