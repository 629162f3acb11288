#include "kindred/image/split_folders.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image_files.h"

namespace kindred {

namespace {

std::filesystem::file_status known_status(const std::filesystem::path& path) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (failure && status.type() != std::filesystem::file_type::not_found) {
    throw DataError(path, "cannot be read: " + failure.message());
  }
  return status;
}

}  // namespace

bool is_folder(const std::filesystem::path& path) {
  return std::filesystem::is_directory(known_status(path));
}

bool is_file(const std::filesystem::path& path) {
  return std::filesystem::is_regular_file(known_status(path));
}

bool is_inner_path(const std::string& path) {
  const std::filesystem::path all(path);
  return !path.empty() && all.is_relative() && std::find(all.begin(), all.end(), "..") == all.end();
}

std::vector<SplitFolders::Image> SplitFolders::images(const std::filesystem::path& root) const {
  const std::string all = "'" + train + "', '" + query + "' and '" + gallery + "'";
  if (!is_folder(root)) {
    throw DataError(root, "is not a folder; set root to the folder with " + all);
  }
  const bool has_query = is_folder(root / query);
  const bool has_gallery = is_folder(root / gallery);
  if (!has_train(root) && !has_query && !has_gallery) {
    throw DataError(root,
                    "contains none of the folders " + all + "; set root to the folder that contains them");
  }
  if (has_query != has_gallery) {
    throw DataError(root, has_query ? "contains '" + query + "', but not its gallery '" + gallery +
                                          "'; unpack the data set again"
                                    : "contains the gallery '" + gallery + "', but not '" + query +
                                          "'; unpack the data set again");
  }
  std::vector<Image> images;
  for (const auto& [folder, split] : {std::pair(&train, Split::train), std::pair(&query, Split::query),
                                      std::pair(&gallery, Split::gallery)}) {
    if (!is_folder(root / *folder)) continue;
    auto names = list_images(root / *folder, Depth::folder_alone);
    if (names.empty())
      throw DataError(root / *folder, "contains no images: " + what_is_instead_of_images(root / *folder));
    images.reserve(images.size() + names.size());
    for (auto& name : names) {
      auto path = *folder + '/' + name;
      images.push_back({std::move(path), std::move(name), split});
    }
  }
  return images;
}

bool SplitFolders::has_train(const std::filesystem::path& root) const {
  return is_folder(root / train);
}

bool SplitFolders::has_test(const std::filesystem::path& root) const {
  return is_folder(root / query) && is_folder(root / gallery);
}

std::optional<std::string> SplitFolders::some_name(const std::filesystem::path& root) const {
  std::error_code failure;
  for (std::filesystem::directory_iterator at(root / (has_train(root) ? train : query), failure), end;
       !failure && at != end; at.increment(failure)) {
    if (is_image_file(at->path())) return at->path().filename().string();
  }
  return std::nullopt;
}

}  // namespace kindred
