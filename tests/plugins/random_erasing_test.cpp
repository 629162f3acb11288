#include "random_erasing.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

#include "kindred/core/error.h"

using namespace kindred;
using namespace kindred::random_erasing;

namespace {

/// Where the image differs from a single value: the rectangle, and whether it is filled completely.
struct Erased {
  cv::Rect location;
  bool whole = false;
};

Erased erased(const cv::Mat& image, const cv::Scalar& background) {
  cv::Mat difference;
  cv::absdiff(image, background, difference);
  cv::Mat flat = difference.reshape(1) > 0;
  cv::Mat pixels = flat.reshape(3);
  cv::Mat any(image.size(), CV_8U);
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      const auto p = pixels.at<cv::Vec3b>(y, x);
      any.at<std::uint8_t>(y, x) = p[0] | p[1] | p[2];
    }
  }
  const cv::Rect location = cv::boundingRect(any);
  return {location, cv::countNonZero(any) == location.area()};
}

std::string parse_error(const std::string& key, Value value) {
  Table table;
  table.set(key, std::move(value));
  Diagnostics diagnostics;
  (void)RandomErasing::schema().parse(Value(std::move(table)), "augmentation 'random_erasing'", diagnostics);
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

}  // namespace

TEST_CASE("a rectangle of the given areas and aspects becomes one value, the rest stays") {
  RandomErasing::Params params;
  params.prob = 1;
  RandomErasing erasing(params, {});
  RandomStream random(1);
  double smallest = 1;
  double largest = 0;
  double lowest = 10;
  double highest = 0;
  bool at_top = false;
  bool at_bottom = false;
  for (int i = 0; i < 2000; ++i) {
    cv::Mat image(256, 128, CV_32FC3, cv::Scalar(1, 2, 3));
    erasing.apply(image, random);
    const auto found = erased(image, {1, 2, 3});
    REQUIRE(found.whole);
    CHECK(cv::norm(image(found.location), cv::NORM_INF) == 0);
    const double area = found.location.area() / (256.0 * 128.0);
    const double aspect = static_cast<double>(found.location.height) / found.location.width;
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    lowest = std::min(lowest, aspect);
    highest = std::max(highest, aspect);
    at_top = at_top || found.location.y == 0;
    at_bottom = at_bottom || found.location.br().y == 256;
  }
  CHECK(std::abs(smallest - 0.02) < 0.002);
  CHECK(std::abs(largest - 0.4) < 0.005);
  CHECK(std::abs(lowest - 0.3) < 0.02);
  CHECK(std::abs(highest - 1 / 0.3) < 0.15);
  CHECK(at_top);
  CHECK(at_bottom);
}

TEST_CASE("an image is treated with its probability") {
  RandomErasing erasing({}, {});
  RandomStream random(2);
  int treated = 0;
  for (int i = 0; i < 4000; ++i) {
    cv::Mat image(32, 16, CV_32FC3, cv::Scalar::all(1));
    erasing.apply(image, random);
    treated += erased(image, cv::Scalar::all(1)).location.empty() ? 0 : 1;
  }
  CHECK(std::abs(treated - 2000) < 5 * 32);  // five standard deviations
}

TEST_CASE("bytes become the given bytes, and a value that no byte has is refused") {
  RandomErasing::Params params;
  params.prob = 1;
  params.value = {124, 116, 255};
  RandomStream random(3);
  cv::Mat image(64, 32, CV_8UC3, cv::Scalar::all(1));
  RandomErasing(params, {}).apply(image, random);
  REQUIRE(image.type() == CV_8UC3);
  const auto location = erased(image, cv::Scalar::all(1)).location;
  CHECK(cv::norm(image(location), cv::Mat(location.size(), CV_8UC3, cv::Scalar(124, 116, 255)),
                 cv::NORM_INF) == 0);

  for (const double value : {-0.5, 256.0}) {
    params.value = {124, value, 0};
    params.prob = 0;  // found before the first image happens to be treated
    RandomErasing outside(params, {});
    try {
      outside.apply(image, random);
      FAIL("nothing was thrown");
    } catch (const ComponentError& error) {
      CHECK(std::string(error.what())
                .find("augmentation/random_erasing: error: value contains a number outside [0, 255]") == 0);
    }
    cv::Mat floats(64, 32, CV_32FC3, cv::Scalar::all(1));
    CHECK_NOTHROW(outside.apply(floats, random));
  }
}

TEST_CASE("noise in bytes has every value alike, noise in floats mean 0 and variance 1") {
  RandomErasing::Params params;
  params.prob = 1;
  params.min_area = 0.9;
  params.max_area = 0.9;
  params.min_aspect = 1;
  params.fill = RandomErasing::Fill::noise;
  RandomErasing erasing(params, {});
  RandomStream random(4);

  cv::Mat bytes(200, 200, CV_8UC3, cv::Scalar::all(0));
  erasing.apply(bytes, random);
  const auto location = erased(bytes, cv::Scalar::all(0)).location;
  CHECK(location.size() == cv::Size(190, 190));
  std::array<int, 256> counts{};
  const cv::Mat noise = bytes(location).clone();
  std::for_each(noise.datastart, noise.dataend, [&](std::uint8_t value) { ++counts[value]; });
  const double expected = 190 * 190 * 3 / 256.0;
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - expected) * (count - expected) / expected;
  CHECK(chi_square < 255 + 5 * std::sqrt(2 * 255.0));

  cv::Mat floats(200, 200, CV_32FC3, cv::Scalar::all(100));
  erasing.apply(floats, random);
  const auto where = erased(floats, cv::Scalar::all(100)).location;
  REQUIRE(where.size() == cv::Size(190, 190));
  const cv::Mat values = floats(where).clone().reshape(1);
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(values, mean, deviation);
  CHECK(std::abs(mean[0]) < 5 / std::sqrt(190 * 190 * 3.0));
  CHECK(deviation[0] == doctest::Approx(1).epsilon(0.01));
  double lowest = 0;
  double highest = 0;
  cv::minMaxLoc(values, &lowest, &highest);
  CHECK(lowest == doctest::Approx(-std::sqrt(3.0)).epsilon(0.001));
  CHECK(highest == doctest::Approx(std::sqrt(3.0)).epsilon(0.001));
  // Neighbors are not the same number twice.
  CHECK(values.at<float>(0, 0) != values.at<float>(0, 1));
}

TEST_CASE("an image into which no rectangle fits stays as it is") {
  RandomErasing::Params params;
  params.prob = 1;
  RandomStream random(5);
  cv::Mat line(100, 1, CV_8UC3, cv::Scalar::all(9));
  RandomErasing(params, {}).apply(line, random);
  CHECK(cv::norm(line, cv::Mat(100, 1, CV_8UC3, cv::Scalar::all(9)), cv::NORM_INF) == 0);
}

TEST_CASE("erasing is for training alone, and images do not wait for each other") {
  CHECK_FALSE(RandomErasing({}, {}).at_test_time());
  CHECK_FALSE(RandomErasing({}, {}).ordered());
}

TEST_CASE("parameters that fit no rectangle are refused") {
  CHECK(parse_error("min_area", Value(0.5)).find("min_area is larger than max_area") != std::string::npos);
  CHECK_FALSE(parse_error("min_aspect", Value(0.0)).empty());
  CHECK_FALSE(parse_error("prob", Value(1.5)).empty());
  CHECK(parse_error("fill", Value(std::string("nois"))).find("did you mean 'noise'?") != std::string::npos);
  CHECK(parse_error("fill", Value(std::string("noise"))).empty());
}
