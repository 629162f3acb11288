#include "pad_crop.h"

#include <algorithm>
#include <cstdlib>
#include <opencv2/core.hpp>
#include <string>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::transforms {

Schema<PadCrop::Params> PadCrop::schema() {
  Schema<Params> s("Pads an image with zeros and crops it to its original size at a random position.");
  s.add("padding", &Params::padding, "zeros added on each side; less than the image's height and width")
      .at_least(0)
      .idle_at(0)
      .unit("pixels");
  return s;
}

PadCrop::PadCrop(const Params& params, const Context& /*context*/) : params_(params) {}

void PadCrop::apply(cv::Mat& image, RandomStream& random) {
  if (params_.padding >= std::min(image.rows, image.cols)) {
    throw ComponentError("augmentation/pad_crop",
                         "padding = " + std::to_string(params_.padding) + " could crop an image of " +
                             std::to_string(image.rows) + " x " + std::to_string(image.cols) +
                             " pixels (height x width) to nothing but padding; choose less than " +
                             std::to_string(std::min(image.rows, image.cols)) + ", or resize images first");
  }
  const int down = static_cast<int>(random.integer(-params_.padding, params_.padding));
  const int right = static_cast<int>(random.integer(-params_.padding, params_.padding));
  if (down == 0 && right == 0) return;
  // What stays visible is copied once; the border on two sides is what zeros move in.
  const cv::Rect visible(std::max(-right, 0), std::max(-down, 0), image.cols - std::abs(right),
                         image.rows - std::abs(down));
  cv::Mat shifted;
  cv::copyMakeBorder(image(visible), shifted, std::max(down, 0), std::max(-down, 0), std::max(right, 0),
                     std::max(-right, 0), cv::BORDER_CONSTANT | cv::BORDER_ISOLATED, cv::Scalar::all(0));
  image = std::move(shifted);
}

}  // namespace kindred::transforms
