#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/schema.h"
#include "kindred/role/metric.h"
#include "rank_threads.h"
#include "ranking/evaluation.h"
#include "ranking/ranking.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

using namespace kindred;
using namespace kindred::ranking;
using namespace kindred::test;

namespace {

/// The largest distance of all pairs, and how many there were.
class LargestDistance : public Metric {
 public:
  struct Params {
    bool divisible = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("The largest distance.");
    s.add("divisible", &Params::divisible, "whether processes may count some pairs each");
    return s;
  }
  static constexpr int default_order = 1;
  LargestDistance(const Params& params, const Context&) : params_(params) {}
  [[nodiscard]] std::vector<FigureInfo> figures() const override {
    return {
        {.name = "largest", .label = "largest", .doc = "the largest distance", .kind = FigureKind::number},
        {.name = "pairs", .label = "pairs", .doc = "how many pairs", .kind = FigureKind::number}};
  }

  class Counter : public PairCounter {
   public:
    explicit Counter(bool divisible) : divisible_(divisible) {}
    class OfThread : public Part {
     public:
      explicit OfThread(Counter& whole) : whole_(whole) {}
      void add(const QueryPairs& query) override {
        for (const auto distance : query.distances) largest_ = std::max(largest_, distance);
        pairs_ += static_cast<std::int64_t>(query.distances.size());
      }
      void finish() override { whole_.join(largest_, pairs_); }

     private:
      Counter& whole_;
      float largest_ = 0;
      std::int64_t pairs_ = 0;
    };
    [[nodiscard]] std::unique_ptr<Part> part() override { return std::make_unique<OfThread>(*this); }
    [[nodiscard]] MetricResult result() override {
      return {{static_cast<double>(largest_), static_cast<double>(pairs_)}, {}, {}};
    }
    [[nodiscard]] bool is_divisible() const override { return divisible_; }
    [[nodiscard]] std::string counted() override {
      if (!divisible_) return PairCounter::counted();
      return std::to_string(largest_) + " " + std::to_string(pairs_);
    }
    void add_counted(const std::string& counted) override {
      join(std::stof(counted), std::stoll(counted.substr(counted.find(' '))));
    }

   private:
    void join(float largest, std::int64_t pairs) {
      const std::lock_guard lock(mutex_);
      largest_ = std::max(largest_, largest);
      pairs_ += pairs;
    }
    bool divisible_;
    std::mutex mutex_;
    float largest_ = 0;
    std::int64_t pairs_ = 0;
  };
  [[nodiscard]] std::unique_ptr<PairCounter> count_pairs(const PairTotals&) const override {
    return std::make_unique<Counter>(params_.divisible);
  }

 private:
  Params params_;
};

recipe::RankingPlan plan_with(bool divisible) {
  static const Catalog catalog = [] {
    Catalog made;
    made.add<LargestDistance>("largest");
    return made;
  }();
  return recipe::choose_ranking(
      recipe::parse_recipe("", "test",
                           {std::string("metric.largest.divisible=") + (divisible ? "true" : "false")}),
      catalog);
}

std::vector<Sample> people(std::int64_t images, const std::string& side) {
  std::vector<Sample> samples;
  for (std::int64_t i = 0; i < images; ++i) {
    Sample sample;
    sample.path = side + std::to_string(i);
    sample.identity = i % 7;
    sample.camera = side == "query" ? 1 : 2;
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace

TEST_CASE("each rank ranks its part of a gallery, and all have the ranking of one process") {
  torch::manual_seed(1);
  constexpr std::int64_t dim = 8192;  // 512 rows a block
  const auto query = torch::randn({5, dim});
  auto gallery = torch::randn({2300, dim});
  gallery[2100] = gallery[3];  // of equal images the first comes first, whoever has found them
  const auto rank = [&](const system::Ranks& ranks, std::vector<std::int64_t> ends, std::int64_t top,
                        std::int64_t& first_read, std::int64_t& last_read) {
    first_read = std::numeric_limits<std::int64_t>::max();
    last_read = 0;
    RankingOptions options{.top = top, .part_ends = std::move(ends), .ranks = ranks};
    return rank_gallery(
        query, gallery.size(0), dim,
        [&](std::int64_t first, std::int64_t last) {
          CHECK(last - first <= 512);
          first_read = std::min(first_read, first);
          last_read = std::max(last_read, last);
          return gallery.slice(0, first, last);
        },
        options);
  };
  const std::vector<std::int64_t> ends{700, 1400, 2300};
  for (const std::int64_t top : {1, 50, 2300}) {
    std::int64_t first = 0;
    std::int64_t last = 0;
    const auto of_one = rank(system::Ranks::alone(), {}, top, first, last);
    CHECK(first == 0);
    CHECK(last == 2300);
    const auto of_one_with_parts = rank(system::Ranks::alone(), ends, top, first, last);
    std::mutex mutex;
    for (const bool with_parts : {false, true}) {
      on_ranks(3, [&](const system::Ranks& ranks) {
        std::int64_t first_read = 0;
        std::int64_t last_read = 0;
        const auto found =
            rank(ranks, with_parts ? ends : std::vector<std::int64_t>(), top, first_read, last_read);
        const auto& expected = with_parts ? of_one_with_parts : of_one;
        const std::lock_guard lock(mutex);
        CHECK(torch::equal(found.images, expected.images));
        CHECK(torch::equal(found.similarities, expected.similarities));
        if (!with_parts) return;
        const auto own = static_cast<std::size_t>(ranks.rank());
        CHECK(first_read == (own == 0 ? 0 : ends[own - 1]));
        CHECK(last_read == ends[own]);
      });
    }
  }
}

TEST_CASE("ranks count pairs together where a counter can be divided, and else each counts all") {
  torch::manual_seed(2);
  constexpr std::int64_t queries = 4;
  const auto query = people(queries, "query");
  const auto gallery = people(300, "gallery");
  const auto distances = torch::rand({queries, 300});
  const double largest = distances.max().item<float>();
  std::mutex mutex;
  for (const bool divisible : {true, false}) {
    std::vector<std::int64_t> asked(3, 0);
    on_ranks(3, [&](const system::Ranks& ranks) {
      const auto rows = [&](std::int64_t first, std::int64_t last) {
        asked[static_cast<std::size_t>(ranks.rank())] += last - first;
        return distances.slice(0, first, last);
      };
      // Blocks of a row.
      const auto scores = evaluate(query, gallery, rows, DistanceScale::other, plan_with(divisible),
                                   "evaluation", {}, ranks, 1200);
      const std::lock_guard lock(mutex);
      REQUIRE(scores.find("largest") != nullptr);
      CHECK(scores.find("largest")->value == doctest::Approx(largest));
      CHECK(scores.find("pairs")->value == 300 * queries);
      CHECK(scores.valid_queries == queries);
    });
    CHECK(asked == (divisible ? std::vector<std::int64_t>{1, 1, 2} : std::vector<std::int64_t>{4, 4, 4}));
  }
}
