#include "normalize.h"

#include <cstddef>
#include <stdexcept>
#include <string>

#include "kindred/core/error.h"
#include "kindred/image/standardize.h"

namespace kindred::transforms {
namespace {

constexpr std::size_t channels = 3;

std::string check(const Normalize::Params& params) {
  for (const double deviation : params.std) {
    if (deviation == 0) return "std contains 0; all three values must be above 0";
    if (deviation < 0) {
      return "std contains a negative number; all three values must be above 0 (to invert channels, use the "
             "augmentation 'variance_inversion')";
    }
  }
  return "";
}

}  // namespace

Schema<Normalize::Params> Normalize::schema() {
  Schema<Params> s(
      "Scales an image to [0, 1], subtracts the mean and divides by the standard deviation of each channel, "
      "in training and at test time. The defaults are those of ImageNet.");
  s.add("mean", &Params::mean, "mean of the channels R, G, B, for values in [0, 1]")
      .range(0, 1)
      .length(channels);
  s.add("std", &Params::std, "standard deviation of the channels R, G, B, for values in [0, 1]; above 0")
      .at_most(1)
      .length(channels);
  s.rule(check);
  return s;
}

Normalize::Normalize(const Params& params, const Context& /*context*/) : params_(params) {}

void Normalize::apply(cv::Mat& image, RandomStream& /*random*/) {
  try {
    standardize(image, params_.mean, params_.std);
  } catch (const std::invalid_argument& error) {
    throw ComponentError("augmentation/normalize", error.what());
  }
}

}  // namespace kindred::transforms
