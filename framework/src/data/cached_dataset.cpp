#include "data/cached_dataset.h"

#include <utility>

#include <opencv2/core.hpp>

namespace kindred::data {

CachedDataset::CachedDataset(std::unique_ptr<Dataset> decoding, std::int64_t bytes)
    : decoding_(std::move(decoding)), limit_(bytes) {}

cv::Mat CachedDataset::image(const Sample& sample) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = images_.find(sample.path); found != images_.end()) return found->second;
  }
  cv::Mat image = decoding_->image(sample);
  const auto size = static_cast<std::int64_t>(image.total() * image.elemSize());
  const std::lock_guard lock(mutex_);
  // Another thread may have been quicker.
  if (const auto found = images_.find(sample.path); found != images_.end()) return found->second;
  if (full_ || size > limit_ - bytes_) {
    full_ = true;
    return image;
  }
  // Of a part of a larger image only the part.
  if (image.isSubmatrix() || !image.isContinuous()) image = image.clone();
  bytes_ += size;
  images_.emplace(sample.path, image);
  return image;
}

CachedDataset::Kept CachedDataset::kept() const {
  const std::lock_guard lock(mutex_);
  return {static_cast<std::int64_t>(images_.size()), bytes_, !full_};
}

}  // namespace kindred::data
