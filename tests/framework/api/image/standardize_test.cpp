#include "kindred/image/standardize.h"

#include <doctest/doctest.h>

#include <opencv2/core.hpp>
#include <stdexcept>
#include <string>

using namespace kindred;

TEST_CASE("bytes become (x / 255 - mean) / deviation in floats") {
  cv::Mat image(1, 1, CV_8UC3, cv::Scalar(0, 51, 255));
  standardize(image, {0.5, 0.1, 0.4}, {0.25, 0.5, 0.2});
  REQUIRE(image.type() == CV_32FC3);
  const auto pixel = image.at<cv::Vec3f>(0, 0);
  CHECK(pixel[0] == doctest::Approx(-2));
  CHECK(pixel[1] == doctest::Approx(0.2));
  CHECK(pixel[2] == doctest::Approx(3));
}

TEST_CASE("floats are taken to be in [0, 1] already and changed where they lie") {
  cv::Mat image(1, 1, CV_32FC3, cv::Scalar(0, 0.2, 1));
  const auto* pixels = image.data;
  standardize(image, {0.5, 0.1, 0.4}, {0.25, 0.5, 0.2});
  CHECK(image.data == pixels);
  const auto pixel = image.at<cv::Vec3f>(0, 0);
  CHECK(pixel[0] == doctest::Approx(-2));
  CHECK(pixel[1] == doctest::Approx(0.2));
  CHECK(pixel[2] == doctest::Approx(3));
}

TEST_CASE("a negative deviation inverts its channel and no other") {
  cv::Mat image(3, 5, CV_8UC3, cv::Scalar(0, 51, 255));
  standardize(image, {0.5, 0.1, 0.4}, {0.25, -0.5, 0.2});
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 5; ++x) {
      const auto pixel = image.at<cv::Vec3f>(y, x);
      CHECK(pixel[0] == doctest::Approx(-2));
      CHECK(pixel[1] == doctest::Approx(-0.2));
      CHECK(pixel[2] == doctest::Approx(3));
    }
  }
}

TEST_CASE("a part of a larger image is standardized, and nothing around it") {
  cv::Mat whole(6, 6, CV_32FC3, cv::Scalar::all(0.5));
  cv::Mat part = whole(cv::Rect(1, 2, 3, 2));
  standardize(part, {0, 0, 0}, {0.5, 0.5, 0.5});
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 6; ++x) {
      const bool inside = x >= 1 && x < 4 && y >= 2 && y < 4;
      CHECK(whole.at<cv::Vec3f>(y, x) == cv::Vec3f::all(inside ? 1.0F : 0.5F));
    }
  }
}

TEST_CASE("floats that are standardized already are refused and stay as they are") {
  cv::Mat image(2, 3, CV_8UC3, cv::Scalar(0, 128, 255));
  const auto standardize_again = [&] { standardize(image, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}); };
  standardize_again();
  const cv::Mat once = image.clone();
  std::string message;
  try {
    standardize_again();
  } catch (const std::invalid_argument& error) {
    message = error.what();
  }
  CHECK(message ==
        "cannot standardize floats from -2.12 to 2.64; they must be in [0, 1]: normalize an image once, and "
        "divide values up to 255 by 255");
  CHECK(cv::norm(image, once, cv::NORM_INF) == 0);

  // What a cubic filter makes of an edge.
  cv::Mat beyond(1, 2, CV_32FC3, cv::Scalar(-0.3, 0.5, 1.3));
  CHECK_NOTHROW(standardize(beyond, {0, 0, 0}, {1, 1, 1}));
}

TEST_CASE("an image of another kind is refused and stays as it is") {
  for (const int type : {CV_8UC1, CV_32FC1, CV_64FC3, CV_16UC3}) {
    CAPTURE(type);
    cv::Mat image(2, 3, type, cv::Scalar::all(7));
    CHECK_THROWS_AS(standardize(image, {0, 0, 0}, {1, 1, 1}), std::invalid_argument);
    CHECK(image.type() == type);
    CHECK(cv::mean(image)[0] == 7);
  }
  cv::Mat empty;
  CHECK_THROWS_AS(standardize(empty, {0, 0, 0}, {1, 1, 1}), std::invalid_argument);
}
