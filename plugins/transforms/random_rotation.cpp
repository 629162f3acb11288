#include "random_rotation.h"

#include <opencv2/imgproc.hpp>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/probability.h"

namespace kindred::transforms {

Schema<RandomRotation::Params> RandomRotation::schema() {
  Schema<Params> s("Rotates an image around its center by a random angle. Place it before 'normalize'.");
  add_probability(s, "probability that an image is rotated");
  s.add("max_degrees", &Params::max_degrees, "largest angle, in either direction")
      .above(0)
      .at_most(180)
      .unit("degrees");
  s.add("fill", &Params::fill, "values of R, G, B in the corners left empty by the rotation")
      .range(0, 255)
      .length(3);
  return s;
}

RandomRotation::RandomRotation(const Params& params, const Context& /*context*/) : params_(params) {}

void RandomRotation::apply(cv::Mat& image, RandomStream& random) {
  if (image.type() != CV_8UC3) {
    throw ComponentError(
        "augmentation/random_rotation",
        "needs an image with 8 bits per channel; place it before the augmentation that normalizes");
  }
  if (!random.chance(params_.prob)) return;
  const double degrees = random.uniform(-params_.max_degrees, params_.max_degrees);
  const cv::Point2f center(static_cast<float>(image.cols - 1) / 2, static_cast<float>(image.rows - 1) / 2);
  const cv::Scalar fill(static_cast<double>(params_.fill[0]), static_cast<double>(params_.fill[1]),
                        static_cast<double>(params_.fill[2]));
  cv::Mat rotated;
  cv::warpAffine(image, rotated, cv::getRotationMatrix2D(center, degrees, 1), image.size(), cv::INTER_LINEAR,
                 cv::BORDER_CONSTANT, fill);
  image = std::move(rotated);
}

}  // namespace kindred::transforms
