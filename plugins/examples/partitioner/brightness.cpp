#include "brightness.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace my_plugins {

kindred::Schema<Brightness::Params> Brightness::schema() {
  kindred::Schema<Params> s("Separates dark images from bright ones.");
  s.add("threshold", &Params::threshold, "mean gray value from which an image is bright").range(0, 255);
  return s;
}

Brightness::Brightness(const Params& params, const Context&) : params_(params) {}

std::string Brightness::domain(const kindred::Sample&, const cv::Mat& image) const {
  cv::Mat gray;
  cv::cvtColor(image, gray, cv::COLOR_RGB2GRAY);
  return cv::mean(gray)[0] < params_.threshold ? "dark" : "bright";
}

}  // namespace my_plugins
