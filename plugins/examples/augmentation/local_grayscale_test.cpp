#include "local_grayscale.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <opencv2/core.hpp>

#include "kindred/core/error.h"

using my_plugins::LocalGrayscale;

TEST_CASE("a part of an image becomes gray, and no more than was asked for") {
  LocalGrayscale augmentation({.prob = 1, .max_area = 0.3}, {});
  const cv::Vec3b color(200, 40, 90);
  const cv::Vec3b gray(94, 94, 94);  // 0.299 R + 0.587 G + 0.114 B
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    cv::Mat image(64, 32, CV_8UC3, cv::Scalar(color[0], color[1], color[2]));
    kindred::RandomStream random(seed);
    augmentation.apply(image, random);
    const auto changed = std::count(image.begin<cv::Vec3b>(), image.end<cv::Vec3b>(), gray);
    const auto kept = std::count(image.begin<cv::Vec3b>(), image.end<cv::Vec3b>(), color);
    CHECK(changed + kept == 64 * 32);
    CHECK(changed > 0);
    CHECK(changed <= 0.32 * 64 * 32);  // 0.3, and the rounding of the sides
  }
}

TEST_CASE("an image stays as it is with the probability that was asked for") {
  LocalGrayscale augmentation({.prob = 0.25}, {});
  int changed = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const cv::Mat before(8, 4, CV_8UC3, cv::Scalar(200, 40, 90));
    cv::Mat image = before.clone();
    kindred::RandomStream random(seed);
    augmentation.apply(image, random);
    changed += cv::norm(image, before, cv::NORM_INF) > 0 ? 1 : 0;
  }
  CHECK(changed > 200);
  CHECK(changed < 300);
}

TEST_CASE("a normalized image is refused") {
  LocalGrayscale augmentation({}, {});
  cv::Mat image(8, 4, CV_32FC3, cv::Scalar::all(0.5));
  kindred::RandomStream random(1);
  CHECK_THROWS_AS(augmentation.apply(image, random), kindred::ComponentError);
}
