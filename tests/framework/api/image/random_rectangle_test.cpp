#include "kindred/image/random_rectangle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

using namespace kindred;

TEST_CASE("areas and aspects of random sizes fill their ranges") {
  const RectangleSizes sizes{0.02, 0.4, 0.3};
  const cv::Size image(1280, 2560);  // large, so that rounding to whole pixels hardly matters
  const double whole = 1280.0 * 2560.0;
  RandomStream random(1);
  double smallest = 1;
  double largest = 0;
  double lowest = 10;
  double highest = 0;
  double area_sum = 0;
  constexpr int count = 20000;
  for (int i = 0; i < count; ++i) {
    const auto size = random_size(sizes, image, random);
    REQUIRE(size);
    CHECK(size->width < image.width);
    CHECK(size->height < image.height);
    const double area = size->area() / whole;
    const double aspect = static_cast<double>(size->height) / size->width;
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    lowest = std::min(lowest, aspect);
    highest = std::max(highest, aspect);
    area_sum += area;
  }
  CHECK(smallest == doctest::Approx(0.02).epsilon(0.02));
  CHECK(largest == doctest::Approx(0.4).epsilon(0.01));
  CHECK(lowest == doctest::Approx(0.3).epsilon(0.02));
  CHECK(highest == doctest::Approx(1 / 0.3).epsilon(0.01));
  // Uniform would be 0.21; wide ones that do not fit are drawn again, which favors small areas a little.
  CHECK(area_sum / count > 0.19);
  CHECK(area_sum / count < 0.211);
}

TEST_CASE("the aspect is uniform, not its logarithm") {
  const RectangleSizes sizes{0.01, 0.01, 0.25};
  RandomStream random(2);
  int tall = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto size = random_size(sizes, {2000, 2000}, random);
    tall += size->height > size->width ? 1 : 0;
  }
  // Of U(0.25, 4) 3 / 3.75 are above 1.
  CHECK(std::abs(tall - 8000) < 5 * 40);
}

TEST_CASE("a size is rounded to the nearest whole pixels") {
  RandomStream random(3);
  const auto size = random_size({0.06, 0.06, 1}, {10, 10}, random);
  REQUIRE(size);
  CHECK(*size == cv::Size(2, 2));                                            // sqrt(6) = 2.45
  CHECK(*random_size({0.07, 0.07, 1}, {10, 10}, random) == cv::Size(3, 3));  // sqrt(7) = 2.65
}

TEST_CASE("there is no size when none of 100 tries is smaller than the image and has a pixel") {
  RandomStream random(4);
  CHECK_FALSE(random_size({1, 1, 1}, {10, 10}, random));
  CHECK_FALSE(random_size({0.1, 0.5, 0.3}, {1, 200}, random));
  CHECK_FALSE(random_size({0.001, 0.001, 1}, {10, 10}, random));  // a tenth of a pixel
  // One try takes two numbers.
  RandomStream other(4);
  RandomStream same(4);
  CHECK_FALSE(random_size({1, 1, 1}, {10, 10}, other));
  for (int i = 0; i < 200; ++i) (void)same();
  CHECK(other() == same());
}

TEST_CASE("every place within the image is alike") {
  RandomStream random(5);
  std::map<std::pair<int, int>, int> seen;
  for (int i = 0; i < 6000; ++i) {
    const auto place = random_place({3, 8}, {5, 9}, random);
    CHECK(place.size() == cv::Size(3, 8));
    ++seen[{place.y, place.x}];
  }
  REQUIRE(seen.size() == 6);
  CHECK(seen.begin()->first == std::pair(0, 0));
  CHECK(seen.rbegin()->first == std::pair(1, 2));
  for (const auto& [place, count] : seen) CHECK(std::abs(count - 1000) < 145);  // five standard deviations
}

TEST_CASE("a rectangle as large as the image has one place") {
  RandomStream random(6);
  CHECK(random_place({5, 9}, {5, 9}, random) == cv::Rect(0, 0, 5, 9));
}
