// Pixels -> numbers around 0.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Makes of every channel (x - mean) / deviation, as a 32-bit float. x is in [0, 1]: bytes are divided by 255
/// first, floats are taken to be in [0, 1] already. A negative deviation inverts its channel.
/// @param mean, deviation of the channels R, G, B; no deviation is 0
KINDRED_API void standardize(cv::Mat& image, const std::vector<double>& mean,
                             const std::vector<double>& deviation);

}  // namespace kindred
