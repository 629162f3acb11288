#include "variance_inversion.h"

#include <doctest/doctest.h>

#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace kindred;
using namespace kindred::variance_inversion;

namespace {

cv::Vec3f inverted(const VarianceInversion::Params& params, const cv::Mat& image) {
  RandomStream random(1);
  cv::Mat copy = image.clone();
  VarianceInversion(params, {}).apply(copy, random);
  REQUIRE(copy.type() == CV_32FC3);
  REQUIRE(copy.size() == image.size());
  return copy.at<cv::Vec3f>(image.rows - 1, image.cols - 1);
}

template <class T>
std::string parse_error(const std::string& key, const std::vector<T>& values) {
  Array list;
  for (const auto& value : values) list.emplace_back(value);
  Table table;
  table.set(key, Value(std::move(list)));
  Diagnostics diagnostics;
  (void)VarianceInversion::schema().parse(Value(std::move(table)), "augmentation 'variance_inversion'",
                                          diagnostics);
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

}  // namespace

TEST_CASE("by default green and blue are normalized and inverted, red is normalized") {
  const cv::Mat bytes(2, 3, CV_8UC3, cv::Scalar(0, 128, 255));
  const auto pixel = inverted({}, bytes);
  CHECK(pixel[0] == doctest::Approx(-2.1179039).epsilon(1e-6));  // (0 - 0.485) / 0.229
  CHECK(pixel[1] == doctest::Approx(-0.2051821).epsilon(1e-6));  // (128 / 255 - 0.456) / -0.224
  CHECK(pixel[2] == doctest::Approx(-2.6400000).epsilon(1e-6));  // (1 - 0.406) / -0.225

  cv::Mat floats;
  bytes.convertTo(floats, CV_32F, 1.0 / 255);
  CHECK(cv::norm(inverted({}, floats), pixel, cv::NORM_INF) < 2e-6);
}

TEST_CASE("the given channels are inverted, with the given mean and standard deviation") {
  const cv::Mat bytes(1, 1, CV_8UC3, cv::Scalar(0, 255, 51));
  VarianceInversion::Params params;
  params.channels = {"R"};
  params.mean = {0.5, 0.5, 0.1};
  params.std = {0.25, 0.5, 0.1};
  const auto pixel = inverted(params, bytes);
  CHECK(pixel[0] == doctest::Approx(2));
  CHECK(pixel[1] == doctest::Approx(1));
  CHECK(pixel[2] == doctest::Approx(1));

  params.channels = {"B", "R", "G"};
  CHECK(inverted(params, bytes)[2] == doctest::Approx(-1));
  CHECK(inverted(params, bytes)[1] == doctest::Approx(-1));
}

TEST_CASE("an image that is normalized already is refused") {
  RandomStream random(1);
  cv::Mat image(2, 3, CV_8UC3, cv::Scalar(0, 128, 255));
  VarianceInversion inversion({}, {});
  inversion.apply(image, random);
  CHECK_THROWS_WITH_AS(inversion.apply(image, random),
                       "augmentation/variance_inversion: error: cannot standardize floats from -2.64 to "
                       "-0.205; they must be in [0, 1]: normalize an image once, and divide values up to 255 "
                       "by 255",
                       ComponentError);
}

TEST_CASE("variance inversion belongs to the preprocessing at test time") {
  CHECK(VarianceInversion({}, {}).at_test_time());
  CHECK_FALSE(VarianceInversion({}, {}).ordered());
}

TEST_CASE("what cannot be meant is refused with what to write") {
  using Texts = std::vector<std::string>;
  using Numbers = std::vector<double>;
  CHECK(
      parse_error("channels", Texts{}).find("nothing would be inverted; use the augmentation 'normalize'") !=
      std::string::npos);
  CHECK(parse_error("channels", Texts{"G", "G"}).find("contains 'G' twice") != std::string::npos);
  CHECK(parse_error("channels", Texts{"H"}).find("\"H\" is not 'R', 'G' or 'B'") != std::string::npos);
  CHECK(parse_error("channels", Texts{"R", "B"}).empty());
  CHECK(parse_error("std", Numbers{0.229, -0.224, -0.225}) ==
        "augmentation 'variance_inversion': std contains 0 or a negative number; all three values must be "
        "above 0; the parameter 'channels' selects which are inverted");
  CHECK_FALSE(parse_error("std", Numbers{0.2, 0.0, 0.2}).empty());
  CHECK_FALSE(parse_error("mean", Numbers{0.2, 0.2}).empty());
  CHECK(parse_error("mean", Numbers{123.675, 116.28, 103.53}).find("123.675 is outside [0, 1]") !=
        std::string::npos);
  CHECK(parse_error("std", Numbers{58.395, 57.12, 57.375}).find("58.395 must be at most 1") !=
        std::string::npos);
}
