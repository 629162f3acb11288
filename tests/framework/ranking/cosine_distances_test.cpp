#include "ranking/evaluation.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>

#include "kindred/core/error.h"

using namespace kindred;
using namespace kindred::ranking;

TEST_CASE("cosine distances do not depend on the rows' lengths") {
  const auto query = torch::randn({5, 16});
  const auto gallery = torch::randn({9, 16});
  const auto expected =
      1 - torch::matmul(query / query.norm(2, {1}, true), (gallery / gallery.norm(2, {1}, true)).t());
  const auto scaled = cosine_distances(query * torch::rand({5, 1}).mul(1e6).add(1), gallery * 1e-12);
  CHECK(torch::allclose(scaled(0, 5), expected, 1e-5, 1e-6));
  CHECK(torch::allclose(scaled(2, 4), expected.slice(0, 2, 4), 1e-5, 1e-6));
}

TEST_CASE("rows without a direction and unequal widths are refused by name") {
  auto gallery = torch::ones({5000, 4});
  gallery[4500].zero_();
  CHECK_THROWS_WITH_AS(static_cast<void>(cosine_distances(torch::ones({2, 4}), gallery, "q.npy", "g.npy")),
                       doctest::Contains("g.npy: error: row 4500 (from 0) has length 0"), DataError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(cosine_distances(torch::full({2, 4}, 3e38F), torch::ones({2, 4}), "q.npy", "g.npy")),
      doctest::Contains("q.npy: error: row 0 (from 0) is longer than 1e30"), DataError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(cosine_distances(torch::ones({2, 4}), torch::ones({2, 5}), "q.npy", "g.npy")),
      doctest::Contains("g.npy: error: its descriptors have 5 numbers, but those of q.npy have 4"),
      DataError);
}

TEST_CASE(
    "a gallery that is read piece by piece gives the same distances, and never much of it is asked for") {
  torch::manual_seed(3);
  constexpr std::int64_t dim = 4096;  // 1024 rows a piece
  const auto query = torch::randn({3, dim});
  const auto gallery = torch::randn({2500, dim});
  std::int64_t most = 0;
  std::int64_t read = 0;
  const auto rows = [&](std::int64_t first, std::int64_t last) {
    most = std::max(most, last - first);
    read += last - first;
    return gallery.slice(0, first, last);
  };
  const auto streamed = streamed_cosine_distances(query, 2500, dim, rows, "query", "gallery");
  const auto whole = cosine_distances(query, gallery);
  CHECK((streamed(0, 3) - whole(0, 3)).abs().max().item<float>() < 1e-6);
  CHECK(most == 1024);
  CHECK(read == 2500);
  CHECK((streamed(1, 2) - whole(1, 2)).abs().max().item<float>() < 1e-6);

  auto bad = gallery.clone();
  bad[2000].zero_();
  const auto of_bad = streamed_cosine_distances(
      query, 2500, dim, [&](std::int64_t first, std::int64_t last) { return bad.slice(0, first, last); },
      "query", "gallery.shards.csv");
  CHECK_THROWS_WITH_AS(static_cast<void>(of_bad(0, 1)),
                       doctest::Contains("gallery.shards.csv: error: row 2000 (from 0) has length 0"),
                       DataError);
  CHECK_THROWS_WITH_AS(static_cast<void>(streamed_cosine_distances(query, 2500, 3, rows, "query", "gallery")),
                       doctest::Contains("its descriptors have 3 numbers"), DataError);
}
