// An image in the words of a message.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

namespace kindred::recipe {

/// "an image of 128 x 64 pixels with 1 channel (CV_8UC1)", rows before columns.
[[nodiscard]] std::string image_text(const cv::Mat& image);

}  // namespace kindred::recipe
