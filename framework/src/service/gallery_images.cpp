#include "service/gallery_images.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <system_error>

#include "kindred/core/error.h"
#include "kindred/image/encode.h"
#include "kindred/image/image.h"

namespace kindred::service {
namespace {

std::filesystem::path usable_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  auto path = std::filesystem::canonical(folder, failure);
  if (failure) throw DataError(folder, "cannot be opened: " + failure.message());
  if (!std::filesystem::is_directory(path)) throw DataError(folder, "is not a folder");
  return path;
}

/// @param path, folder both canonical
bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [end, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

std::string jpeg_of(const cv::Mat& image) {
  const double scale = std::min({1.0, static_cast<double>(GalleryImages::width) / image.cols,
                                 static_cast<double>(GalleryImages::height) / image.rows});
  cv::Mat small = image;
  if (scale < 1) {
    const auto scaled = [&](int size) { return std::max(1, static_cast<int>(std::lround(size * scale))); };
    cv::resize(image, small, {scaled(image.cols), scaled(image.rows)}, 0, 0, cv::INTER_AREA);
  }
  const auto bytes = encode_image(small, ".jpg", "a thumbnail", {cv::IMWRITE_JPEG_QUALITY, 88});
  return {bytes.begin(), bytes.end()};
}

}  // namespace

GalleryImages::GalleryImages(const std::filesystem::path& folder, std::size_t kept)
    : folder_(usable_folder(folder)), kept_(kept) {}

std::optional<std::filesystem::path> GalleryImages::find(const std::string& path) const {
  if (path.empty() || path.find('\0') != std::string::npos) return std::nullopt;
  std::error_code failure;
  auto file = std::filesystem::canonical(folder_ / path, failure);
  if (failure || !is_below(file, folder_) || !std::filesystem::is_regular_file(file, failure)) {
    return std::nullopt;
  }
  return file;
}

std::optional<std::string> GalleryImages::thumbnail(const std::string& path) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = by_path_.find(path); at != by_path_.end()) {
      latest_.splice(latest_.begin(), latest_, at->second);
      return at->second->second;
    }
  }
  const auto file = find(path);
  if (!file) return std::nullopt;
  std::string jpeg;
  {
    const std::lock_guard lock(decoding_);
    jpeg = jpeg_of(read_image(*file));
  }
  const std::lock_guard lock(mutex_);
  if (by_path_.find(path) == by_path_.end()) {
    latest_.emplace_front(path, jpeg);
    by_path_.emplace(path, latest_.begin());
    if (latest_.size() > kept_) {
      by_path_.erase(latest_.back().first);
      latest_.pop_back();
    }
  }
  return jpeg;
}

}  // namespace kindred::service
