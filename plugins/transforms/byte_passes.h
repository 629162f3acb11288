// The two passes of pillow_resize() over bytes in three channels, several pixels at a time.
#pragma once

#include <cstdint>
#include <vector>

#include <opencv2/core/mat.hpp>

namespace kindred::transforms {

/// What each place of the result is made of, in fixed point.
struct ByteTaps {
  int pairs;                ///< of pixels, for each place
  std::vector<int> first;   ///< the first place of the source, of each
  std::vector<int> length;  ///< pairs that count, of each
  /// places x pairs: two weights of 16 bits for each pair, the low one the first pixel's. The whole weight is
  /// high * 2^11 + low. A second pixel beyond the last has the weight 0.
  std::vector<std::int32_t> high;
  std::vector<std::int32_t> low;
};

/// Whether this processor has the instructions for them.
[[nodiscard]] bool has_byte_passes();

/// Sums of pixels times weights of 22 bits after the point, rounded, to 0 to 255.
/// @param image CV_8UC3
[[nodiscard]] cv::Mat byte_columns(const cv::Mat& image, const ByteTaps& taps);

/// The same from row to row.
/// @param image with at least 16 bytes a row
[[nodiscard]] cv::Mat byte_rows(const cv::Mat& image, const ByteTaps& taps);

}  // namespace kindred::transforms
