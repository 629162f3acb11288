#include "naic_score.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace kindred;
using namespace kindred::naic;

TEST_CASE("the competition's score is the mean of mAP at its depth and Rank-1") {
  const std::vector<QueryRanks> queries{{{1, 3, 6}, 9}, {{2}, 9}};
  const auto score = [&](std::int64_t depth) {
    const NaicScore metric({depth}, {});
    const auto result = metric.judge(queries);
    REQUIRE(result.values.size() == metric.figures().size());
    return result.values[0];
  };
  const double ap = (1.0 + 2.0 / 3 + 3.0 / 6) / 3;
  CHECK(score(0) == doctest::Approx(((ap + 0.5) / 2 + 0.5) / 2));
  CHECK(score(200) == score(0));
  CHECK(score(3) == doctest::Approx((((1.0 + 2.0 / 3) / 3 + 0.5) / 2 + 0.5) / 2));
  CHECK(NaicScore::Params().depth == 200);
}

TEST_CASE("with another depth than the competition's the score has another name") {
  const auto name = [](std::int64_t depth) { return NaicScore({depth}, {}).figures().at(0).name; };
  CHECK(name(200) == "naic_score");
  CHECK(name(100) == "naic_score@100");
  CHECK(name(0) == "naic_score@all");
  CHECK(NaicScore({100}, {}).figures().at(0).label == "NAIC score@100");
}
