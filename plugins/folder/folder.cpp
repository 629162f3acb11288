#include "folder.h"

#include <string>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/file_content.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"

namespace kindred::folder {

Schema<Folder::Params> Folder::schema() {
  Schema<Params> s("All images in a folder and its subfolders, or one image, unlabeled, as a gallery.");
  s.add("root", &Params::root,
        "folder of images, with subfolders, or an image; relative to the working directory")
      .required()
      .location();
  return s;
}

Folder::Folder(const Params& params, const Context&) : params_(params) {
  std::error_code failure;
  is_file_ =
      std::filesystem::exists(params_.root, failure) && !std::filesystem::is_directory(params_.root, failure);
}

std::vector<Sample> Folder::samples() const {
  std::vector<std::string> paths;
  if (is_file_) {
    paths.push_back(params_.root.filename().string());
  } else {
    paths = list_images(params_.root, Depth::all_below);
  }
  if (paths.empty()) {
    throw DataError(params_.root,
                    "contains no images, not even in subfolders: " + what_is_instead_of_images(params_.root));
  }
  std::vector<Sample> samples;
  samples.reserve(paths.size());
  for (std::string& path : paths) {
    samples.push_back({std::move(path), unlabeled_identity, unknown_camera, "", Split::gallery});
  }
  return samples;
}

cv::Mat Folder::image(const Sample& sample) const {
  return read_image(is_file_ ? params_.root : params_.root / sample.path);
}

Recognition Folder::recognize() const {
  if (is_file_) {
    return content_of(params_.root).kind == ContentKind::image ? Recognition::certain : Recognition::no;
  }
  return has_images(params_.root, Depth::all_below) ? Recognition::fallback : Recognition::no;
}

}  // namespace kindred::folder
