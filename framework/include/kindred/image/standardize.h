// Standardization of pixel values.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Replaces every channel x by (x - mean) / deviation, as 32-bit floats. x is in [0, 1]: bytes are divided by
/// 255 first. A negative deviation inverts its channel. Throws std::invalid_argument, and leaves the image as
/// it is, unless it has three channels of bytes or floats, and for floats more than 0.5 outside of [0, 1].
/// @param mean, deviation of the channels R, G, B; no deviation is 0
KINDRED_API void standardize(cv::Mat& image, const std::vector<double>& mean,
                             const std::vector<double>& deviation);

}  // namespace kindred
