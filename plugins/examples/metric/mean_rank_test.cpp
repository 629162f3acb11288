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

TEST_CASE("the share of queries that are answered says by which rank") {
  CHECK(MeanRank({.within = 5}, {}).figures().at(1).name == "answered@5");
  CHECK(MeanRank({.within = 20}, {}).figures().at(1).name == "answered@20");
}
