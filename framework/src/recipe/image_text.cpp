#include "recipe/image_text.h"

#include <opencv2/core.hpp>

namespace kindred::recipe {

std::string image_text(const cv::Mat& image) {
  if (image.dims > 2) return "an array of " + std::to_string(image.dims) + " dimensions";
  if (image.empty()) return "an empty image";
  return "an image of " + std::to_string(image.rows) + " x " + std::to_string(image.cols) + " pixels with " +
         std::to_string(image.channels()) + (image.channels() == 1 ? " channel" : " channels") + " (" +
         cv::typeToString(image.type()) + ")";
}

}  // namespace kindred::recipe
