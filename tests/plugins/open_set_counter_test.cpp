#include "open_set_counter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kindred/core/random.h"

using namespace kindred;
using namespace kindred::metrics;

namespace {

/// One query's row; gallery images of kind 'p' are positives, 'i' ignored, 'j' junk, 'n' negatives. Junk is
/// the same in every row.
struct Row {
  std::vector<float> distances;
  std::string kinds;
};

std::vector<std::int32_t> of_kind(const Row& row, char kind) {
  std::vector<std::int32_t> images;
  for (std::size_t i = 0; i < row.kinds.size(); ++i) {
    if (row.kinds[i] == kind) images.push_back(static_cast<std::int32_t>(i));
  }
  return images;
}

std::vector<float> all_of(const std::vector<Row>& rows, char kind) {
  std::vector<float> distances;
  for (const auto& row : rows) {
    for (const auto image : of_kind(row, kind))
      distances.push_back(row.distances[static_cast<std::size_t>(image)]);
  }
  return distances;
}

std::int64_t below(const std::vector<float>& distances, double threshold) {
  return std::count_if(distances.begin(), distances.end(), [&](float d) { return d < threshold; });
}

/// Counts with so many parts, each in a thread of its own.
OpenSetScores count(const std::vector<Row>& rows, const std::vector<double>& rates, std::size_t parts = 1) {
  const auto junk = of_kind(rows.front(), 'j');
  OpenSetCounter counter({.images = static_cast<std::int64_t>(rows.front().kinds.size()),
                          .junk = junk,
                          .positives = static_cast<std::int64_t>(all_of(rows, 'p').size()),
                          .negatives = static_cast<std::int64_t>(all_of(rows, 'n').size())},
                         rates);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < parts; ++t) {
    threads.emplace_back([&, t] {
      OpenSetCounter::Part part(counter);
      for (auto i = t; i < rows.size(); i += parts) {
        const auto positives = of_kind(rows[i], 'p');
        const auto ignored = of_kind(rows[i], 'i');
        part.add({rows[i].distances, positives, ignored});
      }
      part.finish();
    });
  }
  for (auto& thread : threads) thread.join();
  return counter.scores();
}

/// Positives are nearer by some; `steps` makes equal distances.
std::vector<Row> random_rows(std::uint64_t seed, std::size_t queries, std::size_t images, double steps) {
  RandomStream random(seed);
  std::string junk(images, 'n');
  for (auto& kind : junk) kind = random.uniform() < 0.1 ? 'j' : 'n';
  std::vector<Row> rows(queries);
  for (auto& row : rows) {
    row.kinds = junk;
    for (auto& kind : row.kinds) {
      if (kind == 'n' && random.uniform() < 0.2) kind = random.uniform() < 0.5 ? 'p' : 'i';
      const double distance = (kind == 'p' ? 0.0 : 0.3) + random.uniform();
      row.distances.push_back(
          static_cast<float>(steps > 0 ? std::round(distance * steps) / steps : distance));
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("of all thresholds that keep to the rate, the one is found that finds most") {
  const std::vector<double> rates{1e-4, 1e-3, 0.01, 0.05, 0.1, 0.5, 0.99};
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    for (const double steps : {0.0, 10.0, 100.0, 1.0}) {
      const auto rows = random_rows(seed, 12, 90, steps);
      const auto positives = all_of(rows, 'p');
      const auto negatives = all_of(rows, 'n');
      const auto scores = count(rows, rates);
      REQUIRE(scores.points.size() == rates.size());
      for (std::size_t r = 0; r < rates.size(); ++r) {
        const auto& point = scores.points[r];
        CHECK(point.wanted_rate == rates[r]);
        CHECK(point.false_positives == below(negatives, point.threshold));
        CHECK(point.true_positive_rate * static_cast<double>(positives.size()) ==
              doctest::Approx(below(positives, point.threshold)));
        // Any other threshold is at a distance, or above all.
        std::int64_t best = 0;
        for (const auto& distances : {positives, negatives}) {
          for (const float distance : distances) {
            const auto share =
                static_cast<double>(below(negatives, distance)) / static_cast<double>(negatives.size());
            if (share <= rates[r]) best = std::max(best, below(positives, distance));
          }
        }
        CHECK(below(positives, point.threshold) == best);
      }
    }
  }
}

TEST_CASE("neither parts nor threads change anything, also when more is seen than is kept") {
  const auto rows = random_rows(5, 40, 20000, 0);  // some 600,000 negatives
  const auto one = count(rows, {1e-5, 1e-3, 0.02});
  for (const std::size_t parts : {2, 3, 8}) {
    const auto many = count(rows, {1e-5, 1e-3, 0.02}, parts);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(many.points[i].threshold == one.points[i].threshold);
      CHECK(many.points[i].false_positives == one.points[i].false_positives);
      CHECK(many.points[i].true_positive_rate == one.points[i].true_positive_rate);
    }
    CHECK(many.area == one.area);
    CHECK(many.curve.size() == one.curve.size());
  }
  auto negatives = all_of(rows, 'n');
  std::sort(negatives.begin(), negatives.end());
  const auto allowed = negatives.size() / 1000;
  CHECK(one.points[1].threshold == negatives[allowed]);
  CHECK(one.points[1].false_positives == static_cast<std::int64_t>(allowed));
}

TEST_CASE("the curve goes from nothing to everything, and each of its points is exact") {
  for (const double steps : {0.0, 7.0}) {
    const auto rows = random_rows(2, 10, 300, steps);
    const auto positives = all_of(rows, 'p');
    const auto negatives = all_of(rows, 'n');
    const auto scores = count(rows, {0.01});
    REQUIRE(scores.curve.size() > (steps > 0 ? 5 : 200));
    CHECK(scores.curve.front().false_positives == 0);
    CHECK(scores.curve.front().true_positives == 0);
    CHECK(scores.curve.back().false_positives == scores.negatives);
    CHECK(scores.curve.back().true_positives == scores.positives);
    double before = -1;
    for (const auto& point : scores.curve) {
      CHECK(point.threshold > before);
      before = point.threshold;
      CHECK(point.false_positives == below(negatives, point.threshold));
      CHECK(point.true_positives == below(positives, point.threshold));
    }
  }
}

TEST_CASE("the area is the share of pairs of pairs in the right order, as exact as it says") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto rows = random_rows(seed, 6, 80, seed % 2 == 0 ? 0 : 20);
    double right = 0;
    const auto positives = all_of(rows, 'p');
    const auto negatives = all_of(rows, 'n');
    for (const float p : positives) {
      for (const float n : negatives) right += p < n ? 1 : p == n ? 0.5 : 0;
    }
    right /= static_cast<double>(positives.size() * negatives.size());
    const auto scores = count(rows, {0.01});
    CHECK(std::abs(scores.area - right) <= scores.area_error + 1e-12);
    CHECK(scores.area_error < (seed % 2 == 0 ? 1e-3 : 0.1));
  }
}

TEST_CASE("a rate that lets less than one negative through lets none through") {
  const std::vector<Row> rows{{{0.2F, 0.5F, 0.6F, 0.4F}, "pnnp"}};
  const auto scores = count(rows, {0.1, 0.49, 0.5});
  CHECK(scores.points[0].threshold == 0.5F);
  CHECK(scores.points[0].false_positives == 0);
  CHECK(scores.points[0].true_positive_rate == 1);
  CHECK(scores.points[1].false_positives == 0);
  CHECK(scores.points[2].false_positives == 1);
  CHECK(scores.points[2].threshold == 0.6F);
}

TEST_CASE("a rate that is a share of the negatives lets all of that share through") {
  // 0.29 * 100 is below 29 in 64 bits.
  Row row;
  for (int i = 0; i < 100; ++i) row.distances.push_back(static_cast<float>(i));
  row.kinds = std::string(100, 'n');
  row.distances.push_back(0);
  row.kinds += 'p';
  for (int percent = 1; percent < 100; ++percent) {
    CHECK(count({row}, {percent / 100.0}).points[0].false_positives == percent);
  }
}

TEST_CASE("equal distances are let through together or not at all") {
  const std::vector<Row> rows{{{0.5F, 0.5F, 0.5F, 0.5F, 0.9F}, "nnnpn"}};
  CHECK(count(rows, {0.5}).points[0].false_positives == 0);
  CHECK(count(rows, {0.5}).points[0].true_positive_rate == 0);
  CHECK(count(rows, {0.75}).points[0].false_positives == 3);
  CHECK(count(rows, {0.75}).points[0].true_positive_rate == 1);
}

TEST_CASE("distances may be negative, zero with either sign, or infinite") {
  constexpr float infinite = std::numeric_limits<float>::infinity();
  const std::vector<Row> rows{{{-2.0F, -0.0F, 0.0F, infinite, infinite, -1.0F}, "pnpnpn"}};
  const auto scores = count(rows, {0.4, 0.7});
  CHECK(scores.points[0].threshold == 0);  // -1 is below
  CHECK(scores.points[0].true_positive_rate == doctest::Approx(1.0 / 3));
  CHECK(scores.points[1].threshold == infinite);
  CHECK(scores.points[1].false_positives == 2);
  CHECK(scores.points[1].true_positive_rate == doctest::Approx(2.0 / 3));
  CHECK(scores.curve.back().threshold == infinite);
  CHECK(scores.curve.back().true_positives == 3);
  // Against -1, 0 and infinite: -2 is before all, 0 before one and level with one, infinite level with one.
  CHECK(scores.area == doctest::Approx((3 + 1.5 + 0.5) / 9));
}

TEST_CASE("without rates there is a curve and no point, without negatives neither") {
  const std::vector<Row> rows{{{0.1F, 0.2F}, "pn"}};
  CHECK(count(rows, {}).points.empty());
  CHECK(count(rows, {}).area == 1);
  const std::vector<Row> positives{{{0.1F, 0.2F}, "pp"}};
  CHECK(count(positives, {0.1}).points.empty());
  CHECK(count(positives, {0.1}).curve.empty());
}

TEST_CASE("wrong numbers of pairs are a mistake of the program") {
  OpenSetCounter counter({.images = 2, .positives = 1, .negatives = 2}, {0.1});
  OpenSetCounter::Part part(counter);
  const std::vector<float> distances{0.1F, 0.2F};
  const std::vector<std::int32_t> first{0};
  part.add({distances, first, {}});
  part.finish();
  CHECK_THROWS_AS(static_cast<void>(counter.scores()), std::logic_error);
}

TEST_CASE("counters of several processes that see some queries each add up to the whole") {
  const std::vector<double> rates{1e-3, 0.05};
  for (const double steps : {0.0, 10.0}) {
    const auto rows = random_rows(3, 30, 200, steps);
    const auto junk = of_kind(rows.front(), 'j');
    const PairTotals totals{.images = static_cast<std::int64_t>(rows.front().kinds.size()),
                            .junk = junk,
                            .positives = static_cast<std::int64_t>(all_of(rows, 'p').size()),
                            .negatives = static_cast<std::int64_t>(all_of(rows, 'n').size())};
    OpenSetCounter first(totals, rates);
    OpenSetCounter second(totals, rates);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      OpenSetCounter::Part part(i % 3 == 0 ? first : second);
      const auto positives = of_kind(rows[i], 'p');
      const auto ignored = of_kind(rows[i], 'i');
      part.add({rows[i].distances, positives, ignored});
      part.finish();
    }
    first.add_counted(second.counted());
    const auto found = first.scores();
    const auto expected = count(rows, rates);
    CHECK(found.area == expected.area);
    CHECK(found.area_error == expected.area_error);
    REQUIRE(found.points.size() == expected.points.size());
    for (std::size_t i = 0; i < found.points.size(); ++i) {
      CHECK(found.points[i].threshold == expected.points[i].threshold);
      CHECK(found.points[i].false_positives == expected.points[i].false_positives);
      CHECK(found.points[i].true_positive_rate == expected.points[i].true_positive_rate);
    }
    REQUIRE(found.curve.size() == expected.curve.size());
    for (std::size_t i = 0; i < found.curve.size(); ++i) {
      CHECK(found.curve[i].true_positives == expected.curve[i].true_positives);
      CHECK(found.curve[i].false_positives == expected.curve[i].false_positives);
    }
    auto bytes = second.counted();
    bytes.pop_back();
    CHECK_THROWS_AS(first.add_counted(bytes), std::logic_error);
    CHECK_THROWS_AS(first.add_counted("short"), std::logic_error);
  }
}
