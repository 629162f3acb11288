#include "patch_pool.h"

#include <opencv2/core.hpp>

namespace kindred::random_patch {
namespace {

std::size_t bytes_of(const cv::Mat& patch) {
  return patch.total() * patch.elemSize();
}

}  // namespace

PatchPool::PatchPool(std::size_t most_patches, std::size_t most_bytes)
    : most_patches_(most_patches), most_bytes_(most_bytes) {}

void PatchPool::push(const cv::Mat& patch) {
  patches_.push_back(patch.clone());
  bytes_ += bytes_of(patch);
  while (patches_.size() > most_patches_ || bytes_ > most_bytes_) {
    bytes_ -= bytes_of(patches_.front());
    patches_.pop_front();
  }
}

void PatchPool::clear() {
  patches_.clear();
  bytes_ = 0;
}

}  // namespace kindred::random_patch
