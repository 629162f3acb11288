#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "open_set.h"
#include "retrieval.h"

using namespace kindred;
using namespace kindred::metrics;

namespace {

/// Right images at ranks 1, 3 and 6 of 9; at rank 2 of 8.
const std::vector<QueryRanks> two_queries{{{1, 3, 6}, 9}, {{2}, 8}};

std::vector<std::string> names_of(const Metric& metric) {
  std::vector<std::string> names;
  for (const auto& figure : metric.figures()) names.push_back(figure.name);
  return names;
}

using Names = std::vector<std::string>;

/// One query with its right images at distances 0.1 and 0.4, and others at 0.2, 0.5 and 0.6; the last image
/// is junk.
MetricResult judge_pairs(const OpenSet& metric, bool cosine) {
  const std::vector<std::int32_t> junk{5};
  const PairTotals pairs{.images = 6, .junk = junk, .positives = 2, .negatives = 3, .cosine = cosine};
  const auto counter = metric.count_pairs(pairs);
  const std::vector<float> distances{0.1F, 0.2F, 0.4F, 0.5F, 0.6F, 0.0F};
  const std::vector<std::int32_t> positives{0, 2};
  const auto part = counter->part();
  part->add({distances, positives, {}});
  part->finish();
  return counter->result();
}

std::string rule_error(const char* key, const Array& list, bool open_set) {
  Table table;
  table.set(key, Value(list));
  Diagnostics diagnostics;
  if (open_set) {
    static_cast<void>(OpenSet::schema().parse(Value(std::move(table)), "metric", diagnostics));
  } else {
    static_cast<void>(Retrieval::schema().parse(Value(std::move(table)), "metric", diagnostics));
  }
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

}  // namespace

TEST_CASE("retrieval gives mAP, CMC and mINP, and of each query AP, INP and the first rank") {
  const Retrieval metric({}, {});
  CHECK(names_of(metric) == Names{"mAP", "rank1", "rank5", "rank10", "mINP"});
  const auto result = metric.judge(two_queries);
  const double ap = (1.0 + 2.0 / 3 + 3.0 / 6) / 3;
  REQUIRE(result.values.size() == 5);
  CHECK(result.values[0] == doctest::Approx((ap + 0.5) / 2).epsilon(1e-14));
  CHECK(result.values[1] == 0.5);
  CHECK(result.values[2] == 1);
  CHECK(result.values[3] == 1);
  CHECK(result.values[4] == doctest::Approx((3.0 / 6 + 1.0 / 2) / 2).epsilon(1e-14));
  REQUIRE(result.per_query.size() == 3);
  CHECK(result.per_query[0].name == "ap");
  CHECK(result.per_query[0].values[0] == doctest::Approx(ap).epsilon(1e-14));
  CHECK(result.per_query[1].values == std::vector<double>{0.5, 0.5});
  CHECK(result.per_query[2].values == std::vector<double>{1, 2});
  CHECK(metric.count_pairs({}) == nullptr);
}

TEST_CASE("retrieval's curve is the whole CMC: a row for each rank, up to that of the last query") {
  const Retrieval metric({.ranks = {1}}, {});
  const auto tables = metric.judge({{{4, 5}, 9}, {{1}, 9}, {{1, 2}, 9}, {{2}, 8}}).tables;
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].name == "cmc");
  REQUIRE(tables[0].plot);
  CHECK(tables[0].plot->x == "rank");
  CHECK(tables[0].plot->y == "share");
  REQUIRE(tables[0].columns.size() == 2);
  CHECK(tables[0].columns[0].values == std::vector<double>{1, 2, 3, 4});
  CHECK(tables[0].columns[1].values == std::vector<double>{0.5, 0.75, 0.75, 1});
}

TEST_CASE("a depth stands in the names of mAP and AP, and changes nothing else") {
  const Retrieval metric({.depth = 3}, {});
  CHECK(names_of(metric)[0] == "mAP@3");
  CHECK(metric.judge(two_queries).per_query[0].name == "ap@3");
  const auto at_depth = metric.judge(two_queries).values;
  const auto whole = Retrieval({}, {}).judge(two_queries).values;
  CHECK(at_depth[0] == doctest::Approx(((1.0 + 2.0 / 3) / 3 + 0.5) / 2));
  CHECK(std::vector<double>(at_depth.begin() + 1, at_depth.end()) ==
        std::vector<double>(whole.begin() + 1, whole.end()));
}

TEST_CASE("the ranks of CMC are a parameter, of which the first is a headline") {
  const Retrieval metric({.ranks = {2, 20}}, {});
  CHECK(names_of(metric) == Names{"mAP", "rank2", "rank20", "mINP"});
  CHECK(metric.judge(two_queries).values[1] == 1);
  CHECK(metric.figures()[1].prominence == Prominence::headline);
  CHECK(metric.figures()[2].prominence == Prominence::listed);
  CHECK(names_of(Retrieval({.ranks = {}}, {})) == Names{"mAP", "mINP"});
  CHECK(rule_error("ranks", {Value(std::int64_t{1}), Value(std::int64_t{1})}, false).find("twice") !=
        std::string::npos);
}

TEST_CASE("open_set gives a figure for each rate, and what the curve encloses") {
  const OpenSet metric({.false_positive_rates = {0.01, 0.1}}, {});
  CHECK(names_of(metric) == Names{"TPR@FPR=0.01", "TPR@FPR=0.1", "AUC", "AUC_error"});
  const auto result = judge_pairs(metric, /*cosine=*/true);
  // No negative may pass: the threshold is the nearest, at 0.2, and one of two positives is below.
  CHECK(result.values[0] == 0.5);
  CHECK(result.values[1] == 0.5);
  CHECK(result.values[2] == doctest::Approx(5.0 / 6));
  CHECK(std::abs(result.values[3]) < 1e-9);
  CHECK(result.per_query.empty());
  CHECK(rule_error("false_positive_rates", {Value(0.01), Value(0.01)}, true).find("twice") !=
        std::string::npos);
}

TEST_CASE("open_set's tables are its thresholds, with similarities only of cosine distances, and its curve") {
  const OpenSet metric({}, {});
  const auto result = judge_pairs(metric, /*cosine=*/true);
  REQUIRE(result.tables.size() == 2);
  const auto& thresholds = result.tables[0];
  CHECK(thresholds.name == "thresholds");
  CHECK_FALSE(thresholds.plot);
  REQUIRE(thresholds.columns.size() == 6);
  CHECK(thresholds.columns[0].values == std::vector<double>{1e-4, 1e-3, 1e-2});
  CHECK(thresholds.columns[4].name == "distance");
  CHECK(thresholds.columns[4].values[0] == 0.2F);
  CHECK(thresholds.columns[5].name == "similarity");
  CHECK(thresholds.columns[5].values[0] == doctest::Approx(0.8));
  CHECK(judge_pairs(metric, /*cosine=*/false).tables[0].columns.size() == 5);

  const auto& curve = result.tables[1];
  CHECK(curve.name == "roc");
  REQUIRE(curve.plot);
  CHECK(curve.plot->x == "false_positive_rate");
  CHECK(curve.columns[1].values.front() == 0);
  CHECK(curve.columns[1].values.back() == 1);
  CHECK(curve.columns[2].values.back() == 1);
}

TEST_CASE("without pairs of both kinds open_set has neither values nor tables, and says why") {
  const OpenSet metric({}, {});
  for (const bool right : {true, false}) {
    const PairTotals pairs{.images = 1, .positives = right ? 1 : 0, .negatives = right ? 0 : 1};
    const auto counter = metric.count_pairs(pairs);
    const auto part = counter->part();
    const std::vector<float> distances{0.1F};
    std::vector<std::int32_t> positives;
    if (right) positives.push_back(0);
    part->add({distances, positives, {}});
    part->finish();
    const auto result = counter->result();
    REQUIRE(result.values.size() == metric.figures().size());
    for (const double value : result.values) CHECK(std::isnan(value));
    CHECK(result.tables.empty());
    REQUIRE(result.cautions.size() == result.values.size());
    for (const auto& caution : result.cautions) {
      CHECK(caution.starts_with(right ? "there are no negative pairs; " : "there are no positive pairs; "));
    }
  }
}

TEST_CASE("open_set says which figures have too few pairs behind them") {
  // 16 negatives and 12 positives, all farther.
  const auto judged = [](std::int64_t positives, std::int64_t negatives, std::vector<double> rates) {
    const OpenSet metric({.false_positive_rates = std::move(rates)}, {});
    const PairTotals pairs{.images = positives + negatives, .positives = positives, .negatives = negatives};
    const auto counter = metric.count_pairs(pairs);
    std::vector<float> distances;
    std::vector<std::int32_t> right;
    for (std::int64_t i = 0; i < positives + negatives; ++i) {
      distances.push_back(static_cast<float>(i));
      if (i < positives) right.push_back(static_cast<std::int32_t>(i));
    }
    const auto part = counter->part();
    part->add({distances, right, {}});
    part->finish();
    return counter->result();
  };
  const auto few = judged(12, 16, {1e-4, 0.1});
  CHECK(few.cautions ==
        Names{"from 16 negative pairs; 100000 are needed", "from 16 negative pairs; 100 are needed", "", ""});
  CHECK(few.tables.at(0).cautions == Names{few.cautions[0], few.cautions[1]});
  const auto enough = judged(12, 100, {0.1, 0.01});
  CHECK(enough.cautions == Names{"", "from 100 negative pairs; 1000 are needed", "", ""});
  CHECK(judged(12, 100, {0.1}).tables.at(0).cautions.empty());
  const auto few_positives = judged(1, 100, {0.1});
  CHECK(few_positives.cautions.at(0) == "from 1 positive pair; 10 are needed");
  CHECK(few_positives.cautions.at(1) == "from 1 positive pair and 100 negative pairs; 10 of each are needed");
}
