#include "brightness.h"

#include <doctest/doctest.h>

#include <opencv2/core.hpp>
#include <string>

using my_plugins::Brightness;

namespace {

std::string domain_of(const cv::Scalar& color) {
  return Brightness({.threshold = 90}, {}).domain({}, cv::Mat(4, 2, CV_8UC3, color));
}

}  // namespace

TEST_CASE("the mean gray value decides") {
  CHECK(domain_of(cv::Scalar::all(89)) == "dark");
  CHECK(domain_of(cv::Scalar::all(90)) == "bright");
  CHECK(domain_of({0, 0, 255}) == "dark");    // blue counts 0.114
  CHECK(domain_of({0, 255, 0}) == "bright");  // green counts 0.587
}
