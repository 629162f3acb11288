#include "horizontal_flip.h"

#include "kindred/image/probability.h"

#include <utility>

#include <opencv2/core.hpp>

namespace kindred::transforms {

Schema<HorizontalFlip::Params> HorizontalFlip::schema() {
  Schema<Params> s("Mirrors an image left to right.");
  add_probability(s, "probability that an image is mirrored");
  return s;
}

HorizontalFlip::HorizontalFlip(const Params& params, const Context& /*context*/) : params_(params) {}

void HorizontalFlip::apply(cv::Mat& image, RandomStream& random) {
  if (!random.chance(params_.prob)) return;
  cv::Mat mirrored;
  cv::flip(image, mirrored, 1);
  image = std::move(mirrored);
}

}  // namespace kindred::transforms
