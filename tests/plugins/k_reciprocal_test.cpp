#include "k_reciprocal.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "file/npy.h"
#include "kindred/core/error.h"
#include "neighbor_encoding.h"
#include "product_watch.h"
#include "tensor_checks.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::k_reciprocal;
using kindred::test::largest_difference;

namespace {

class Host : public RetrievalHost {
 public:
  [[nodiscard]] torch::Device device() const override { return torch::kCPU; }
  void progress(const std::string&, std::int64_t done, std::int64_t total) override {
    last_done = done;
    last_total = total;
  }
  [[nodiscard]] torch::Tensor descriptors_of(const std::filesystem::path&) override {
    throw std::logic_error("not asked for");
  }
  [[nodiscard]] DistanceBlock distances_of(const std::filesystem::path&) override {
    throw std::logic_error("not asked for");
  }
  std::int64_t last_done = 0;
  std::int64_t last_total = 0;
};

torch::Tensor distances(const torch::Tensor& rows, std::int64_t queries, const KReciprocal::Params& params) {
  Retrieval retrieval{rows.contiguous(), queries, {}};
  Host host;
  KReciprocal(params, {}).apply(retrieval, host);
  return retrieval.distances(0, queries);
}

/// The definition, written as it stands: a whole matrix in 64 bits, sets, dense vectors.
torch::Tensor plain(const torch::Tensor& rows, std::int64_t queries, std::int64_t k1, std::int64_t k2,
                    double lambda) {
  const auto n = rows.size(0);
  const auto exact = rows.to(torch::kDouble);
  auto d = (exact.unsqueeze(1) - exact.unsqueeze(0)).square().sum(2);
  const auto farthest = std::get<0>(d.max(1, true));
  d = torch::where(farthest > 0, d / farthest, torch::zeros_like(d));
  const auto at = d.accessor<double, 2>();
  std::vector<std::vector<std::int64_t>> order(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    auto& row = order[static_cast<std::size_t>(i)];
    row.resize(static_cast<std::size_t>(n));
    std::iota(row.begin(), row.end(), 0);
    std::stable_sort(row.begin(), row.end(), [&](auto a, auto b) { return at[i][a] < at[i][b]; });
  }
  const auto first = [&](std::int64_t i, std::int64_t k) {
    const auto& row = order[static_cast<std::size_t>(i)];
    return std::set<std::int64_t>(row.begin(), row.begin() + std::min(k, n));
  };
  const auto reciprocal = [&](std::int64_t i, std::int64_t k) {
    std::set<std::int64_t> result;
    for (const auto j : first(i, k + 1)) {
      if (first(j, k + 1).contains(i)) result.insert(j);
    }
    return result;
  };
  const auto half = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(k1) / 2));
  auto v = torch::zeros({n, n}, torch::kDouble);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto own = reciprocal(i, k1);
    auto all = own;
    for (const auto j : own) {
      const auto others = reciprocal(j, half);
      std::size_t shared = 0;
      for (const auto o : others) shared += own.count(o);
      if (static_cast<double>(shared) > 2.0 / 3 * static_cast<double>(others.size())) {
        all.insert(others.begin(), others.end());
      }
    }
    double sum = 0;
    for (const auto j : all) sum += std::exp(-at[i][j]);
    for (const auto j : all) v[i][j] = std::exp(-at[i][j]) / sum;
  }
  if (k2 > 1) {
    auto averaged = torch::zeros_like(v);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto& row = order[static_cast<std::size_t>(i)];
      const auto count = std::min(k2, n);
      for (std::int64_t k = 0; k < count; ++k) {
        averaged[i] += v[row[static_cast<std::size_t>(k)]] / static_cast<double>(count);
      }
    }
    v = averaged;
  }
  const auto s = torch::minimum(v.slice(0, 0, queries).unsqueeze(1), v.slice(0, queries).unsqueeze(0)).sum(2);
  const auto jaccard = 1 - s / (2 - s);
  return (1 - lambda) * jaccard + lambda * d.slice(0, 0, queries).slice(1, queries);
}

KReciprocal::Params params_of(std::int64_t k1, std::int64_t k2, double lambda) {
  KReciprocal::Params params;
  params.k1 = k1;
  params.k2 = k2;
  params.lambda = lambda;
  return params;
}

/// People with several images each.
torch::Tensor people(std::int64_t images, std::int64_t dim, double noise, std::int64_t seed) {
  torch::manual_seed(seed);
  const auto centers = torch::randn({std::max<std::int64_t>(2, images / 8), dim});
  const auto rows = centers.index_select(0, torch::randint(centers.size(0), {images}, torch::kLong)) +
                    noise * torch::randn({images, dim});
  return rows / rows.norm(2, 1, true);
}

torch::Tensor golden(const std::string& name) {
  return file::read_npy(std::filesystem::path(test::golden_directory) / name);
}

}  // namespace

TEST_CASE("the distances agree with the reference values") {
  const auto query = golden("rerank_query.npy");
  const auto rows = torch::cat({query, golden("rerank_gallery.npy")});
  for (const auto search : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
    const auto check = [&](KReciprocal::Params params, const std::string& name) {
      params.search = search;
      CHECK(largest_difference(distances(rows, query.size(0), params), golden(name)) < 1e-5);
    };
    check(params_of(10, 2, 0.6), "rerank_expected_k1-10_k2-2_lambda-0.6.npy");
    check(params_of(20, 6, 0.3), "rerank_expected_k1-20_k2-6_lambda-0.3.npy");
    check(params_of(7, 1, 0.0), "rerank_expected_k1-7_k2-1_lambda-0.0.npy");
  }
}

TEST_CASE("the distances agree with the plain definition for any shape, parameters and ties") {
  struct Case {
    std::int64_t queries, images, dim, k1, k2;
    double lambda, noise;
    bool repeated;
  };
  const std::vector<Case> cases = {
      {1, 40, 8, 10, 2, 0.6, 0.3, false},   {5, 20, 4, 3, 1, 0.3, 0.5, false},
      {12, 60, 16, 20, 6, 0.3, 0.4, false}, {30, 30, 32, 5, 2, 0.0, 0.6, false},
      {7, 90, 12, 7, 3, 1.0, 0.5, false},   {10, 50, 8, 10, 2, 0.6, 0.3, true},
      {3, 70, 6, 20, 6, 0.3, 0.2, true},    {25, 80, 24, 9, 4, 0.5, 0.8, false},
      {2, 3, 5, 10, 2, 0.6, 0.5, false},    {1, 1, 4, 1, 1, 0.3, 0.5, false},
      {4, 10, 3, 50, 20, 0.3, 0.5, false},  {9, 45, 7, 1, 1, 0.4, 0.3, false},
      {9, 45, 7, 2, 2, 0.4, 0.3, false},    {16, 64, 64, 15, 5, 0.7, 1.0, false},
      {20, 40, 2, 6, 2, 0.6, 0.1, true},    {6, 100, 10, 11, 3, 0.2, 0.4, true},
      {40, 10, 9, 8, 2, 0.5, 0.5, false},   {8, 32, 128, 13, 12, 0.1, 0.9, false},
      {3, 30, 5, 4, 6, 0.6, 0.4, false},    {11, 77, 20, 25, 1, 0.6, 0.7, true}};
  REQUIRE(cases.size() == 20);
  std::int64_t seed = 0;
  for (const auto& c : cases) {
    CAPTURE(++seed);
    auto rows = people(c.queries + c.images, c.dim, c.noise, seed);
    if (c.repeated) {
      const auto count = rows.size(0) / 3;
      rows.slice(0, rows.size(0) - count).copy_(rows.slice(0, 0, count).clone());
    }
    for (const auto search : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
      auto params = params_of(c.k1, c.k2, c.lambda);
      params.search = search;
      CHECK(largest_difference(distances(rows, c.queries, params),
                               plain(rows, c.queries, c.k1, c.k2, c.lambda)) < 1e-5);
    }
  }
}

TEST_CASE("rows of any length are compared by their Euclidean distance") {
  const auto rows = people(60, 10, 0.4, 30) * torch::rand({60, 1}).mul(3).add(0.5);
  CHECK(largest_difference(distances(rows, 10, params_of(8, 2, 0.5)), plain(rows, 10, 8, 2, 0.5)) < 1e-5);
  // The definition does not depend on the scale.
  CHECK(largest_difference(distances(rows * 1000, 10, params_of(8, 2, 0.5)), plain(rows, 10, 8, 2, 0.5)) <
        1e-5);
}

TEST_CASE(
    "equal rows all have the distance of equal rows, and no reciprocal neighbors where they come last") {
  const auto rows = torch::ones({30, 4}) / 2;
  const auto result = distances(rows, 5, params_of(3, 1, 0.5));
  CHECK(torch::isfinite(result).all().item<bool>());
  CHECK(largest_difference(result, plain(rows, 5, 3, 1, 0.5)) < 1e-6);
}

TEST_CASE("a block of queries is the same by itself as among all") {
  const auto rows = people(80, 16, 0.4, 31);
  Retrieval retrieval{rows.contiguous(), 20, {}};
  Host host;
  KReciprocal(params_of(10, 2, 0.6), {}).apply(retrieval, host);
  CHECK(host.last_done == host.last_total);
  CHECK(host.last_total > 0);
  const auto all = retrieval.distances(0, 20);
  CHECK(largest_difference(retrieval.distances(7, 9), all.slice(0, 7, 9)) < 1e-6);
}

TEST_CASE("one chunk that holds everything is exact") {
  const auto rows = people(70, 12, 0.4, 32);
  auto params = params_of(10, 3, 0.4);
  params.mode = KReciprocal::Mode::chunked;
  params.chunk_nearest = 55;
  CHECK(largest_difference(distances(rows, 15, params), plain(rows, 15, 10, 3, 0.4)) < 1e-5);
}

TEST_CASE("a chunk is encoded with the images near any of its queries, the others follow by distance") {
  const auto rows = people(120, 12, 0.4, 33);
  const std::int64_t queries = 20;
  auto params = params_of(6, 2, 0.4);
  params.mode = KReciprocal::Mode::chunked;
  params.chunk_queries = 8;
  params.chunk_nearest = 9;
  const auto result = distances(rows, queries, params);

  const auto d =
      (rows.slice(0, 0, queries).unsqueeze(1) - rows.slice(0, queries).unsqueeze(0)).square().sum(2);
  for (std::int64_t first = 0; first < queries; first += 8) {
    const auto last = std::min<std::int64_t>(first + 8, queries);
    std::set<std::int64_t> near;
    for (auto q = first; q < last; ++q) {
      const auto order = d[q].argsort();
      for (std::int64_t k = 0; k < 9; ++k) near.insert(order[k].item<std::int64_t>());
    }
    const std::vector<std::int64_t> images(near.begin(), near.end());
    const auto columns = torch::tensor(images, torch::kLong);
    const auto part =
        torch::cat({rows.slice(0, first, last), rows.slice(0, queries).index_select(0, columns)});
    CHECK(largest_difference(result.slice(0, first, last).index_select(1, columns),
                             plain(part, last - first, 6, 2, 0.4)) < 1e-5);
    for (auto q = first; q < last; ++q) {
      for (std::int64_t g = 0; g < 100; ++g) {
        if (near.contains(g)) continue;
        const double expected = 1 + (d[q][g] / d[q].max()).item<double>();
        CHECK(result[q][g].item<double>() == doctest::Approx(expected).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("the number of threads does not change a bit of what the search decides") {
  const auto rows = people(300, 16, 0.5, 34);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = distances(rows, 40, params_of(10, 2, 0.0));
  at::set_num_threads(3);
  const auto three = distances(rows, 40, params_of(10, 2, 0.0));
  at::set_num_threads(threads);
  CHECK(torch::equal(one, three));
}

TEST_CASE("memory that does not suffice to keep products gives the same distances") {
  // 1,500 x 2,500 products need 14.3 MiB beside some 6 of the rest.
  const auto rows = people(4000, 16, 0.5, 35);
  auto params = params_of(10, 2, 0.6);
  const auto kept = distances(rows, 1500, params);
  params.memory_mib = 16;
  CHECK(largest_difference(kept, distances(rows, 1500, params)) < 1e-6);
}

TEST_CASE("distances are of products in 32 bits, whatever networks on a GPU may compute in") {
  auto params = params_of(10, 2, 0.6);
  test::ProductWatch watch;
  SUBCASE("products that are not kept") {
    params.memory_mib = 16;
    static_cast<void>(distances(people(4000, 16, 0.5, 35), 1500, params));
  }
  SUBCASE("those of images beyond a chunk") {
    params.mode = KReciprocal::Mode::chunked;
    params.chunk_nearest = 9;
    static_cast<void>(distances(people(120, 12, 0.4, 33), 20, params));
  }
  CHECK(watch.products() > 0);
  CHECK(watch.in_tf32() == 0);
}

TEST_CASE("too little memory is refused with what is needed") {
  auto params = params_of(20, 6, 0.3);
  params.memory_mib = 16;
  const auto rows = torch::rand({20000, 16});
  const auto threads = at::get_num_threads();
  at::set_num_threads(2);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(distances(rows, 5, params)),
      "post_processor/k_reciprocal: error: memory_mib = 16 is too small for 20000 descriptors of "
      "16 numbers; allowed are 62 and more; or set mode = \"chunked\"",
      ComponentError);
  params.mode = KReciprocal::Mode::chunked;
  params.chunk_nearest = 19995;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(distances(rows, 5, params)),
      "post_processor/k_reciprocal: error: memory_mib = 16 is too small for 20000 descriptors of "
      "16 numbers; allowed are 62 and more; or choose smaller chunk_queries and chunk_nearest",
      ComponentError);
  at::set_num_threads(threads);
}
