// The implementation. Include narrow headers: <opencv2/imgproc.hpp> takes a second to compile,
// <torch/torch.h> twenty. If a problem shows only in the data, throw an error of kindred/core/error.h that
// says what to do.
#include "local_grayscale.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "kindred/core/error.h"

namespace my_plugins {
namespace {

// Height / width. Images of people are upright, and the rectangle may be, too.
constexpr double min_aspect = 0.3;
constexpr double max_aspect = 3.33;
constexpr double min_area = 0.02;

}  // namespace

kindred::Schema<LocalGrayscale::Params> LocalGrayscale::schema() {
  kindred::Schema<Params> s(
      "Turns a random rectangle of an image gray.",
      "Gong et al., Eliminate Deviation with Deviation for Data Augmentation and a General "
      "Multi-modal Data Learning Method, arXiv:2101.08533, local grayscale patch replacement");
  s.add("prob", &Params::prob, "probability that an image is changed").range(0, 1).idle_at(0);
  s.add("max_area", &Params::max_area, "area of the largest rectangle, as a share of the image")
      .range(min_area, 1);
  return s;
}

LocalGrayscale::LocalGrayscale(const Params& params, const Context&) : params_(params) {}

void LocalGrayscale::apply(cv::Mat& image, kindred::RandomStream& random) {
  if (image.type() != CV_8UC3) {
    throw kindred::ComponentError(
        "augmentation/local_grayscale",
        "needs an image with 8 bits per channel; place it before the augmentation that normalizes");
  }
  if (!random.chance(params_.prob)) return;
  const double area = random.uniform(min_area, params_.max_area) * static_cast<double>(image.total());
  // Uniform on a logarithmic scale: twice as high as wide is as likely as twice as wide as high.
  const double aspect = std::exp(random.uniform(std::log(min_aspect), std::log(max_aspect)));
  const int height = std::clamp(static_cast<int>(std::lround(std::sqrt(area * aspect))), 1, image.rows);
  const int width = std::clamp(static_cast<int>(std::lround(std::sqrt(area / aspect))), 1, image.cols);
  const int top = static_cast<int>(random.integer(0, image.rows - height));
  const int left = static_cast<int>(random.integer(0, image.cols - width));

  cv::Mat rectangle = image(cv::Rect(left, top, width, height));
  cv::Mat gray;
  cv::cvtColor(rectangle, gray, cv::COLOR_RGB2GRAY);
  cv::cvtColor(gray, rectangle, cv::COLOR_GRAY2RGB);
}

}  // namespace my_plugins
