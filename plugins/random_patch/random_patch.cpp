#include "random_patch.h"

#include <cmath>
#include <cstddef>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/probability.h"

namespace kindred::random_patch {
namespace {

constexpr const char* component = "augmentation/random_patch";
constexpr double mib = 1024.0 * 1024.0;

std::string check(const RandomPatch::Params& params) {
  if (params.min_sample_size > params.pool_capacity) {
    return "min_sample_size = " + std::to_string(params.min_sample_size) +
           " is more than pool_capacity = " + std::to_string(params.pool_capacity) +
           "; lower min_sample_size or raise pool_capacity";
  }
  if (params.min_area > params.max_area)
    return "min_area is larger than max_area; raise max_area or lower min_area";
  return "";
}

std::string kind(cv::Size size, int type) {
  return std::to_string(size.height) + " x " + std::to_string(size.width) + " pixels (height x width) of " +
         (CV_MAT_DEPTH(type) == CV_8U ? "bytes" : "floats");
}

/// Counter-clockwise about the center, at the same size.
cv::Mat turned(const cv::Mat& patch, double degrees) {
  const cv::Point2f center(static_cast<float>(patch.cols - 1) / 2, static_cast<float>(patch.rows - 1) / 2);
  cv::Mat result;
  cv::warpAffine(patch, result, cv::getRotationMatrix2D(center, degrees, 1), patch.size(), cv::INTER_LINEAR,
                 cv::BORDER_CONSTANT, cv::Scalar::all(0));
  return result;
}

}  // namespace

Schema<RandomPatch::Params> RandomPatch::schema() {
  Schema<Params> s(
      "Pastes patches of other training images of the same epoch into an image, as occlusions. Place it "
      "after 'resize'.",
      "Zhou et al., Omni-Scale Feature Learning for Person Re-Identification, ICCV 2019 (RandomPatch of its "
      "code)");
  add_probability(s, "probability that a patch is pasted into an image");
  s.add("pool_capacity", &Params::pool_capacity,
        "largest number of patches to keep; the oldest are dropped first")
      .at_least(1)
      .unit("patches");
  s.add("pool_mib", &Params::pool_mib, "largest memory for the patches; the oldest are dropped first")
      .range(1, 1048576)
      .unit("MiB");
  s.add("min_sample_size", &Params::min_sample_size,
        "patches to collect before the first one is pasted; each epoch starts with none")
      .at_least(1)
      .unit("patches");
  s.add("min_area", &Params::min_area, "area of the smallest patch, as a share of the image")
      .above(0)
      .at_most(1);
  s.add("max_area", &Params::max_area, "area of the largest patch, as a share of the image")
      .above(0)
      .at_most(1);
  s.add("min_aspect", &Params::min_aspect, "lowest height / width of a patch; the highest is 1 / min_aspect")
      .above(0)
      .at_most(1);
  s.add("flip_prob", &Params::flip_prob, "probability that a patch is mirrored left to right").range(0, 1);
  s.add("rotate_prob", &Params::rotate_prob, "probability that a patch is rotated").range(0, 1);
  s.add("max_degrees", &Params::max_degrees, "largest rotation of a patch, in either direction")
      .range(0, 180)
      .unit("degrees");
  s.rule(check);
  return s;
}

RandomPatch::RandomPatch(const Params& params, const Context& /*context*/)
    : params_(params),
      sizes_{params.min_area, params.max_area, params.min_aspect},
      pool_(static_cast<std::size_t>(params.pool_capacity),
            static_cast<std::size_t>(static_cast<double>(params.pool_mib) * mib)) {}

void RandomPatch::start_pass() {
  pool_.clear();
  image_size_ = {};
}

void RandomPatch::expect(const cv::Mat& image) {
  if (image_size_.empty()) {
    const double largest =
        params_.max_area * static_cast<double>(image.total()) * static_cast<double>(image.elemSize());
    const double needed = std::ceil(static_cast<double>(params_.min_sample_size) * largest / mib);
    if (static_cast<double>(params_.pool_mib) < needed) {
      throw ComponentError(
          component, "pool_mib = " + std::to_string(params_.pool_mib) +
                         " is too small for min_sample_size = " + std::to_string(params_.min_sample_size) +
                         " patches cut from images of " + kind(image.size(), image.type()) +
                         "; set pool_mib to " + std::to_string(static_cast<std::int64_t>(needed)) +
                         " or more");
    }
    image_size_ = image.size();
    image_type_ = image.type();
  }
  if (image.size() != image_size_ || image.type() != image_type_) {
    throw ComponentError(component, "received an image of " + kind(image.size(), image.type()) +
                                        " after one of " + kind(image_size_, image_type_) +
                                        "; all images must have the same size and type: place random_patch "
                                        "after the augmentation 'resize'");
  }
}

cv::Mat RandomPatch::draw_patch(RandomStream& random) const {
  const auto last = static_cast<std::int64_t>(pool_.size()) - 1;
  cv::Mat patch = pool_[static_cast<std::size_t>(random.integer(0, last))];
  if (random.chance(params_.flip_prob)) {
    cv::Mat mirrored;
    cv::flip(patch, mirrored, 1);
    patch = std::move(mirrored);
  }
  if (random.chance(params_.rotate_prob)) {
    patch = turned(patch, static_cast<double>(random.integer(-params_.max_degrees, params_.max_degrees)));
  }
  return patch;
}

void RandomPatch::apply(cv::Mat& image, RandomStream& random) {
  expect(image);
  if (const auto size = random_size(sizes_, image.size(), random)) {
    pool_.push(image(random_place(*size, image.size(), random)));
  }
  if (pool_.size() < static_cast<std::size_t>(params_.min_sample_size)) return;
  if (!random.chance(params_.prob)) return;
  const cv::Mat patch = draw_patch(random);
  patch.copyTo(image(random_place(patch.size(), image.size(), random)));
}

}  // namespace kindred::random_patch
