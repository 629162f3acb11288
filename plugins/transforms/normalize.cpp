#include "normalize.h"

#include <opencv2/core.hpp>
#include <string>

namespace kindred {
namespace {

constexpr int channels = 3;

std::string check(const Normalize::Params& params) {
  for (const double deviation : params.std) {
    if (deviation == 0) return "std holds 0, by which nothing can be divided; all three must be above 0";
    if (deviation < 0) {
      return "std holds a negative number; all three must be above 0 (use augmentation 'variance_inversion' "
             "to "
             "invert channels)";
    }
  }
  return "";
}

}  // namespace

Schema<Normalize::Params> Normalize::schema() {
  Schema<Params> s(
      "Scales an image to [0, 1], subtracts the mean and divides by the standard deviation of each "
      "channel, in training and at test time. The defaults are ImageNet's.");
  s.add("mean", &Params::mean, "mean of the channels R, G, B, of values in [0, 1]").length(channels);
  s.add("std", &Params::std, "standard deviation of the channels R, G, B, of values in [0, 1]; above 0")
      .length(channels);
  s.rule(check);
  return s;
}

Normalize::Normalize(const Params& params, const Context& /*context*/)
    : params_(params), table_(1, 256, CV_32FC3) {
  for (int value = 0; value < table_.cols; ++value) {
    for (int c = 0; c < channels; ++c) {
      const auto channel = static_cast<std::size_t>(c);
      table_.at<cv::Vec3f>(value)[c] =
          static_cast<float>((value / 255.0 - params_.mean[channel]) / params_.std[channel]);
    }
  }
}

void Normalize::apply(cv::Mat& image, RandomStream& /*random*/) {
  if (image.depth() == CV_8U) {
    cv::Mat normalized;
    cv::LUT(image, table_, normalized);
    image = std::move(normalized);
    return;
  }
  cv::Vec3d mean;
  cv::Vec3d deviation;
  for (int c = 0; c < channels; ++c) {
    mean[c] = params_.mean[static_cast<std::size_t>(c)];
    deviation[c] = params_.std[static_cast<std::size_t>(c)];
  }
  for (int y = 0; y < image.rows; ++y) {
    auto* row = image.ptr<cv::Vec3f>(y);
    for (int x = 0; x < image.cols; ++x) {
      for (int c = 0; c < channels; ++c) row[x][c] = static_cast<float>((row[x][c] - mean[c]) / deviation[c]);
    }
  }
}

}  // namespace kindred
