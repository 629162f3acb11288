// Scaling with the filters of Pillow, which widen when an image gets smaller: what torchvision's Resize does
// to the images of PIL that the networks of others were trained on.
#pragma once

#include <opencv2/core/mat.hpp>

namespace kindred::transforms {

enum class PillowFilter { bilinear, bicubic };

/// The image in another size, columns first. Of 8 bits the result is Pillow's: coefficients in fixed point,
/// and the image rounded between the two passes. Some versions of Pillow scale rows first where an image
/// becomes lower: theirs differs by a gray level, with the bicubic filter by more where it clips. Floats are
/// filtered in floats.
[[nodiscard]] cv::Mat pillow_resize(const cv::Mat& image, cv::Size size, PillowFilter filter);

}  // namespace kindred::transforms
