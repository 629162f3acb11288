// A queue of patches.
#pragma once

#include <cstddef>
#include <deque>
#include <opencv2/core/mat.hpp>

namespace kindred::random_patch {

/// Owns copies of its patches' pixels: a view would keep the whole image alive that it was cut from. When
/// there are more patches or more bytes of pixels than allowed, the oldest patches go.
class PatchPool {
 public:
  PatchPool(std::size_t most_patches, std::size_t most_bytes);

  void push(const cv::Mat& patch);
  void clear();

  [[nodiscard]] std::size_t size() const { return patches_.size(); }
  /// Of pixels.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// From the oldest, 0, to the newest.
  [[nodiscard]] const cv::Mat& operator[](std::size_t index) const { return patches_[index]; }

 private:
  std::size_t most_patches_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::deque<cv::Mat> patches_;
};

}  // namespace kindred::random_patch
