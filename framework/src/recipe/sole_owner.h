// Pixels that nobody else sees.
#pragma once

#include <opencv2/core/mat.hpp>

namespace kindred::recipe {

/// Copies the pixels where somebody else may refer to them, too: augmentations write into an image.
void make_sole_owner(cv::Mat& image);

}  // namespace kindred::recipe
