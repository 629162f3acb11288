#include "ranking/match_ranks.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include "kindred/core/random.h"

using namespace kindred;
using namespace kindred::ranking;

TEST_CASE("ranks are those of a stable sort, by either way of counting") {
  RandomStream random(7);
  for (int round = 0; round < 200; ++round) {
    const auto size = random.integer(1, 60);
    std::vector<float> distances;
    for (std::int64_t i = 0; i < size; ++i) {
      distances.push_back(static_cast<float>(random.integer(0, 9)));  // many are equal
    }
    std::vector<std::int32_t> images(static_cast<std::size_t>(size));
    std::iota(images.begin(), images.end(), 0);
    random.shuffle(std::span(images));
    const auto matches = random.integer(1, size);
    const auto removed = random.integer(0, size - matches);
    const std::vector<std::int32_t> right(images.begin(), images.begin() + matches);
    const std::vector<std::int32_t> out(images.begin() + matches, images.begin() + matches + removed);

    std::vector<std::int32_t> order(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return distances[static_cast<std::size_t>(a)] < distances[static_cast<std::size_t>(b)];
    });
    const std::set<std::int32_t> right_set(right.begin(), right.end());
    const std::set<std::int32_t> out_set(out.begin(), out.end());
    std::vector<std::int64_t> expected;
    std::int64_t rank = 0;
    for (const auto image : order) {
      if (out_set.contains(image)) continue;
      ++rank;
      if (right_set.contains(image)) expected.push_back(rank);
    }
    CHECK(match_ranks(distances, right, out) == expected);
    CHECK(kindred::ranking::detail::count_before_each(distances, right) ==
          kindred::ranking::detail::count_before_all(distances, right));
  }
}

TEST_CASE("thousands of right images give the ranks of a sort") {
  RandomStream random(3);
  std::vector<float> distances(5000);
  for (auto& distance : distances) distance = static_cast<float>(random.integer(0, 999));
  std::vector<std::int32_t> all(distances.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::int64_t> ranks(all.size());
  std::iota(ranks.begin(), ranks.end(), 1);
  CHECK(match_ranks(distances, all, {}) == ranks);
}
