#include "random_erasing.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>
#include <string>

#include "kindred/core/error.h"
#include "kindred/image/probability.h"

namespace kindred::random_erasing {
namespace {

constexpr std::size_t channels = 3;

std::string check(const RandomErasing::Params& params) {
  return params.min_area > params.max_area
             ? "min_area is larger than max_area; raise max_area or lower min_area"
             : "";
}

/// Eight of a draw.
void fill_with_noise(std::uint8_t* values, std::size_t count, RandomStream& random) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    bits = i % 8 == 0 ? random() : bits >> 8U;
    values[i] = static_cast<std::uint8_t>(bits & 0xffU);
  }
}

/// Two of a draw, 24 bits each.
void fill_with_noise(float* values, std::size_t count, RandomStream& random) {
  const float bound = std::sqrt(3.0F);  // U(-bound, bound) has variance 1
  const float step = bound * 0x1.0p-23F;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    bits = i % 2 == 0 ? random() : bits >> 32U;
    values[i] = static_cast<float>(bits & 0xffffffU) * step - bound;
  }
}

template <class T>
void fill_with_noise(cv::Mat& area, RandomStream& random) {
  const std::size_t count = static_cast<std::size_t>(area.cols) * channels;
  for (int y = 0; y < area.rows; ++y) fill_with_noise(area.ptr<T>(y), count, random);
}

}  // namespace

Schema<RandomErasing::Params> RandomErasing::schema() {
  Schema<Params> s("Fills a random rectangle of an image, as an occlusion. Usually placed after 'normalize'.",
                   "Zhong et al., Random Erasing Data Augmentation, AAAI 2020, algorithm 1");
  add_probability(s);
  s.add("min_area", &Params::min_area, "area of the smallest rectangle, as a share of the image")
      .above(0)
      .at_most(1);
  s.add("max_area", &Params::max_area, "area of the largest rectangle, as a share of the image")
      .above(0)
      .at_most(1);
  s.add("min_aspect", &Params::min_aspect,
        "lowest height / width of the rectangle; the highest is 1 / min_aspect")
      .above(0)
      .at_most(1);
  s.add("fill", &Params::fill,
        "what the rectangle is filled with: one value, or noise for each pixel (random bytes; after "
        "'normalize' mean 0 and variance 1)",
        {{"value", Fill::value}, {"noise", Fill::noise}});
  s.add("value", &Params::value,
        "values of R, G, B for fill = 'value'; after 'normalize' 0 is the mean; before it, use the mean in "
        "bytes, such as [124, 116, 104]")
      .length(channels);
  s.rule(check);
  return s;
}

RandomErasing::RandomErasing(const Params& params, const Context& /*context*/)
    : params_(params),
      sizes_{params.min_area, params.max_area, params.min_aspect},
      value_(params.value[0], params.value[1], params.value[2]) {}

void RandomErasing::apply(cv::Mat& image, RandomStream& random) {
  const bool bytes = image.depth() == CV_8U;
  if (bytes && params_.fill == Fill::value) {
    for (const double value : params_.value) {
      if (value >= 0 && value <= 255) continue;
      throw ComponentError(
          "augmentation/random_erasing",
          "value contains a number outside [0, 255], but the image has 8 bits per channel; choose another "
          "value, or place random_erasing after the augmentation that normalizes");
    }
  }
  if (!random.chance(params_.prob)) return;
  const auto size = random_size(sizes_, image.size(), random);
  if (!size) return;
  cv::Mat area = image(random_place(*size, image.size(), random));
  if (params_.fill == Fill::value) {
    area.setTo(value_);
  } else if (bytes) {
    fill_with_noise<std::uint8_t>(area, random);
  } else {
    fill_with_noise<float>(area, random);
  }
}

}  // namespace kindred::random_erasing
