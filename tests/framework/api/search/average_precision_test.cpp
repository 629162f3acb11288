#include "kindred/search/average_precision.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace kindred;

TEST_CASE("the precision is taken at each right image, without interpolation") {
  const std::vector<std::int64_t> ranks{1, 3, 6};
  CHECK(average_precision(ranks) == doctest::Approx((1.0 + 2.0 / 3 + 3.0 / 6) / 3).epsilon(1e-14));
  CHECK(average_precision(std::vector<std::int64_t>{1, 2, 3}) == 1);
  CHECK(average_precision(std::vector<std::int64_t>{4}) == 0.25);
}

TEST_CASE("at a depth only the ranks up to it count, out of as many right images as fit there") {
  const std::vector<std::int64_t> ranks{1, 3, 6};
  CHECK(average_precision(ranks, 1) == doctest::Approx(1.0));
  CHECK(average_precision(ranks, 2) == doctest::Approx(1.0 / 2));
  CHECK(average_precision(ranks, 3) == doctest::Approx((1.0 + 2.0 / 3) / 3));
  CHECK(average_precision(ranks, 5) == doctest::Approx((1.0 + 2.0 / 3) / 3));
  CHECK(average_precision(ranks, 6) == doctest::Approx((1.0 + 2.0 / 3 + 3.0 / 6) / 3));
  CHECK(average_precision(ranks, 200) == average_precision(ranks));
  CHECK(average_precision(std::vector<std::int64_t>{2}, 1) == 0);
}
