#include "folder.h"

#include <string>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"

namespace kindred::folder {

Schema<Folder::Params> Folder::schema() {
  Schema<Params> s("All images in a folder and its subfolders, unlabeled, as a gallery.");
  s.add("root", &Params::root, "folder of images, with subfolders; relative to the working directory")
      .required()
      .location();
  return s;
}

Folder::Folder(const Params& params, const Context&) : params_(params) {}

std::vector<Sample> Folder::samples() const {
  std::vector<Sample> samples;
  for (std::string& path : list_images(params_.root, Depth::all_below)) {
    samples.push_back({std::move(path), unlabelled_identity, unknown_camera, "", Split::gallery});
  }
  if (samples.empty()) {
    throw DataError(
        params_.root,
        "contains no images, not even in subfolders (.jpg, .jpeg, .png, .bmp, .webp, .tif, .tiff)");
  }
  return samples;
}

cv::Mat Folder::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition Folder::recognize() const {
  // The first image is enough, so that asking is quick for large folders.
  std::error_code failure;
  std::filesystem::recursive_directory_iterator at(
      params_.root, std::filesystem::directory_options::follow_directory_symlink, failure);
  for (const std::filesystem::recursive_directory_iterator end; !failure && at != end;
       at.increment(failure)) {
    if (at->path().filename().string().starts_with('.')) {
      at.disable_recursion_pending();
      continue;
    }
    std::error_code unknown;
    if (has_image_ending(at->path()) && !at->is_directory(unknown)) return Recognition::fallback;
  }
  return Recognition::no;
}

}  // namespace kindred::folder
