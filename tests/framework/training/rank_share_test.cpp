#include "training/rank_share.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace kindred::test {
using training::share_of_rank;
namespace {

TEST_CASE("of P identities with K images each rank gets P / ranks, whole") {
  // Three images of each of four identities, mixed.
  const std::vector<std::int64_t> labels{7, 8, 9, 5, 7, 8, 9, 5, 7, 8, 9, 5};
  const std::vector<std::size_t> batch{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  CHECK(share_of_rank(batch, labels, 0, 2) == std::vector<std::size_t>{0, 1, 4, 5, 8, 9});
  CHECK(share_of_rank(batch, labels, 1, 2) == std::vector<std::size_t>{2, 3, 6, 7, 10, 11});
  CHECK(share_of_rank(batch, labels, 3, 4) == std::vector<std::size_t>{3, 7, 11});
  CHECK(share_of_rank(batch, labels, 0, 1) == batch);
}

TEST_CASE("all ranks together have each place once, and about the same number") {
  std::vector<std::int64_t> labels;
  std::vector<std::size_t> batch;
  for (std::size_t i = 0; i < 64; ++i) {
    labels.push_back(static_cast<std::int64_t>(i * i % 23));
    batch.push_back(63 - i);
  }
  for (const int ranks : {2, 3, 5, 8}) {
    std::vector<std::size_t> places;
    std::set<std::int64_t> before;
    for (int rank = 0; rank < ranks; ++rank) {
      const auto share = share_of_rank(batch, labels, rank, ranks);
      CHECK(std::is_sorted(share.begin(), share.end()));
      places.insert(places.end(), share.begin(), share.end());
      std::set<std::int64_t> own;
      for (const auto place : share) own.insert(labels[batch[place]]);
      for (const auto identity : own) CHECK(before.insert(identity).second);
    }
    std::sort(places.begin(), places.end());
    std::vector<std::size_t> all(batch.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    CHECK(places == all);
  }
}

}  // namespace
}  // namespace kindred::test
