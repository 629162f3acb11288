#include <filesystem>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "command/doctor_checks.h"
#include "data/open_folder.h"
#include "kindred/core/error.h"
#include "kindred/image/image_files.h"

namespace kindred::command {

std::vector<UnusedImages> unused_images(const std::vector<Sample>& samples,
                                        const std::filesystem::path& root) {
  // One image alone says nothing of its folder.
  if (is_image_file(root)) return {};
  const auto place = data::folder_of_paths(std::filesystem::absolute(root));
  const auto whole = [&](const std::string& path) { return (place / path).lexically_normal().string(); };
  std::unordered_set<std::string> used;
  for (const auto& sample : samples) used.insert(whole(sample.path));
  std::vector<std::string> images;
  try {
    images = list_images(place, Depth::all_below);
  } catch (const DataError&) {
    return {};  // What the data set itself needs of it could be read.
  }
  std::map<std::string, UnusedImages> parts;
  for (const auto& image : images) {
    if (used.contains(whole(image))) continue;
    const auto slash = image.find('/');
    const auto first = slash == std::string::npos ? "" : image.substr(0, slash);
    auto& part = parts.try_emplace(first, UnusedImages{first, 0, image}).first->second;
    ++part.images;
  }
  std::vector<UnusedImages> unused;
  for (auto& [name, part] : parts) unused.push_back(std::move(part));
  return unused;
}

}  // namespace kindred::command
