#include "mean_rank.h"

#include <doctest/doctest.h>

using my_plugins::MeanRank;

TEST_CASE("the first right image of each query counts") {
  const MeanRank metric({.within = 5}, {});
  const auto result = metric.judge({{{1, 4}, 10}, {{6}, 10}, {{5, 7, 8}, 10}, {{2}, 10}});
  REQUIRE(result.values.size() == metric.figures().size());
  CHECK(result.values[0] == 3.5);
  CHECK(result.values[1] == 0.75);
}
