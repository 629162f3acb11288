#include <doctest/doctest.h>

#include <cstdint>
#include <opencv2/core.hpp>
#include <stdexcept>

#include "camera_partitioner.h"
#include "kindred/core/error.h"
#include "violet_partitioner.h"

using namespace kindred;
using namespace kindred::domains;

namespace {

Sample sample(std::int64_t camera = unknown_camera) {
  Sample result;
  result.path = "query/7.png";
  result.camera = camera;
  return result;
}

cv::Mat plain(int red, int green, int blue) {
  return {4, 2, CV_8UC3, cv::Scalar(red, green, blue)};
}

}  // namespace

TEST_CASE("an image is violet when its mean colors sum up to more than the threshold") {
  const VioletPartitioner partitioner({}, {});
  CHECK(partitioner.needs_pixels());
  CHECK(partitioner.domain(sample(), plain(100, 100, 100)) == "origin");
  CHECK(partitioner.domain(sample(), plain(101, 100, 100)) == "violet");
  CHECK(partitioner.domain(sample(), plain(0, 46, 255)) == "violet");
  CHECK(VioletPartitioner({303}, {}).domain(sample(), plain(101, 101, 101)) == "origin");
}

TEST_CASE("each mean is cut to a whole number before they are summed up") {
  // Means 100.5, 100.5 and 100: their sum is 301, that of their whole parts 300.
  auto image = plain(100, 100, 100);
  for (int x = 0; x < 2; ++x) {
    for (int y = 0; y < 2; ++y) image.at<cv::Vec3b>(y, x) = {101, 101, 100};
  }
  CHECK(cv::mean(image)[0] == 100.5);
  CHECK(VioletPartitioner({}, {}).domain(sample(), image) == "origin");
}

TEST_CASE("what is no 8-bit RGB image is a broken promise") {
  const VioletPartitioner partitioner({}, {});
  CHECK_THROWS_AS(static_cast<void>(partitioner.domain(sample(), {})), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(partitioner.domain(sample(), cv::Mat(4, 2, CV_8UC1))), std::logic_error);
}

TEST_CASE("a camera is a domain, and an unknown one is an error naming the image") {
  const CameraPartitioner partitioner({}, {});
  CHECK_FALSE(partitioner.needs_pixels());
  CHECK(partitioner.domain(sample(3), {}) == "camera_3");
  CHECK(partitioner.domain(sample(0), {}) == "camera_0");
  CHECK_THROWS_WITH_AS(static_cast<void>(partitioner.domain(sample(), {})),
                       doctest::Contains("partitioner/camera: error: the camera of 'query/7.png' is unknown"),
                       ComponentError);
}
