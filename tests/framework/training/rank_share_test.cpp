#include "training/rank_share.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include "kindred/core/random.h"

namespace kindred::test {
using training::shares_of_ranks;
namespace {

using Places = std::vector<std::size_t>;

std::vector<Places> shares(const std::vector<std::int64_t>& labels, int ranks) {
  Places batch(labels.size());
  std::iota(batch.begin(), batch.end(), std::size_t{0});
  return shares_of_ranks(batch, labels, ranks);
}

/// All ranks together have each place once, and the images of an identity are on one of them.
void check_division(const std::vector<Places>& shares, const Places& batch,
                    const std::vector<std::int64_t>& labels) {
  Places places;
  std::set<std::int64_t> before;
  for (const auto& share : shares) {
    CHECK(std::is_sorted(share.begin(), share.end()));
    places.insert(places.end(), share.begin(), share.end());
    std::set<std::int64_t> own;
    for (const auto place : share) own.insert(labels[batch[place]]);
    for (const auto identity : own) CHECK(before.insert(identity).second);
  }
  std::sort(places.begin(), places.end());
  Places all(batch.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  CHECK(places == all);
}

std::size_t least(const std::vector<Places>& shares) {
  auto size = shares.front().size();
  for (const auto& share : shares) size = std::min(size, share.size());
  return size;
}

TEST_CASE("of P identities with K images each rank gets P / ranks, whole") {
  // Three images of each of four identities, mixed.
  const std::vector<std::int64_t> labels{7, 8, 9, 5, 7, 8, 9, 5, 7, 8, 9, 5};
  CHECK(shares(labels, 2) == std::vector<Places>{{0, 1, 4, 5, 8, 9}, {2, 3, 6, 7, 10, 11}});
  CHECK(shares(labels, 4)[3] == Places{3, 7, 11});
  CHECK(shares(labels, 1) == std::vector<Places>{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}});
}

TEST_CASE("all ranks together have each place once, and about the same number") {
  std::vector<std::int64_t> labels;
  Places batch;
  for (std::size_t i = 0; i < 64; ++i) {
    labels.push_back(static_cast<std::int64_t>(i * i % 23));
    batch.push_back(63 - i);
  }
  std::int64_t largest = 0;  // identity
  for (const auto label : labels)
    largest = std::max(largest, std::count(labels.begin(), labels.end(), label));
  for (const int ranks : {2, 3, 5, 8}) {
    CAPTURE(ranks);
    const auto found = shares_of_ranks(batch, labels, ranks);
    check_division(found, batch, labels);
    for (const auto& share : found) {
      CHECK(std::abs(static_cast<double>(share.size()) - 64.0 / ranks) < static_cast<double>(largest));
    }
  }
}

TEST_CASE("a rank that would get less than two images gets what others can spare") {
  // By where they lie in the batch alone the ranks would have 3, 1, 3 and 2.
  CHECK(shares({1, 2, 2, 3, 4, 5, 6, 7, 8}, 4) == std::vector<Places>{{1, 2}, {0, 3}, {4, 5, 6}, {7, 8}});
  // A large identity, and the others behind it.
  CHECK(least(shares({1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5}, 3)) == 2);
}

TEST_CASE("each rank has two images wherever a division gives them to all") {
  RandomStream random(5);
  int possible = 0;
  for (int i = 0; i < 300; ++i) {
    std::vector<std::int64_t> labels;
    const auto images = random.integer(2, 14);
    for (std::int64_t image = 0; image < images; ++image) labels.push_back(random.integer(0, 9));
    const auto ranks = static_cast<int>(random.integer(2, 5));
    Places batch(labels.size());
    std::iota(batch.begin(), batch.end(), std::size_t{0});
    const auto found = shares_of_ranks(batch, labels, ranks);
    check_division(found, batch, labels);
    // An identity of several images is enough for a rank, and so are two of one.
    int several = 0;
    int single = 0;
    for (const auto identity : std::set<std::int64_t>(labels.begin(), labels.end())) {
      ++(std::count(labels.begin(), labels.end(), identity) > 1 ? several : single);
    }
    const bool is_possible = several + single / 2 >= ranks;
    CAPTURE(labels);
    CAPTURE(ranks);
    CHECK((least(found) >= 2) == is_possible);
    if (is_possible) ++possible;
  }
  CHECK(possible > 50);
  CHECK(possible < 250);
}

}  // namespace
}  // namespace kindred::test
