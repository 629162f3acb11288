#include "gnn_rerank.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "fake_retrieval_host.h"
#include "kindred/core/error.h"
#include "tensor_checks.h"

using namespace kindred;
using namespace kindred::gnn_rerank;
using kindred::test::largest_difference;

namespace {

GnnRerank::Params params_of(std::int64_t k1, std::int64_t k2, double alpha = 2, std::int64_t layers = 2) {
  GnnRerank::Params params;
  params.k1 = k1;
  params.k2 = k2;
  params.alpha = alpha;
  params.layers = layers;
  return params;
}

torch::Tensor distances(const torch::Tensor& rows, std::int64_t queries, const GnnRerank::Params& params) {
  Retrieval retrieval{rows.clone().contiguous(), queries, {}};
  test::FakeRetrievalHost host;
  GnnRerank(params, {}).apply(retrieval, host);
  CHECK(host.last_done == host.last_total);
  CHECK(host.last_total > 0);
  return retrieval.distances(0, queries);
}

/// The definition as it stands: whole matrices in 64 bits.
torch::Tensor plain(const torch::Tensor& rows, std::int64_t queries, const GnnRerank::Params& params) {
  const auto n = rows.size(0);
  // To 32 bits, so that equal rows are as equal as what is tested sees them.
  const auto unit =
      torch::nn::functional::normalize(rows.to(torch::kDouble)).to(torch::kFloat).to(torch::kDouble);
  const auto squared = (unit.unsqueeze(1) - unit.unsqueeze(0)).square().sum(2);
  const auto cosine = (1 - squared / 2).clamp_min(0);
  std::vector<std::vector<std::int64_t>> order(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    auto& row = order[static_cast<std::size_t>(i)];
    row.resize(static_cast<std::size_t>(n));
    std::iota(row.begin(), row.end(), 0);
    const auto own = squared[i].contiguous();
    const auto* d = own.data_ptr<double>();
    std::stable_sort(row.begin(), row.end(), [&](auto a, auto b) { return d[a] < d[b]; });
  }
  const auto first = [&](std::int64_t i, std::int64_t k) {
    const auto& row = order[static_cast<std::size_t>(i)];
    return torch::tensor(std::vector<std::int64_t>(row.begin(), row.begin() + std::min(k, n)), torch::kLong);
  };
  auto a = torch::zeros({n, n}, torch::kDouble);
  for (std::int64_t i = 0; i < n; ++i) a[i].index_fill_(0, first(i, params.k1), 1);
  for (std::int64_t layer = 0; layer < params.layers; ++layer) {
    const auto b = a + a.t();
    a = torch::zeros({n, n}, torch::kDouble);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto near = first(i, params.k2);
      const auto weights = cosine[i].index_select(0, near).pow(params.alpha);
      a[i] = torch::mv(b.index_select(0, near).t(), weights);
    }
    a = a / a.norm(2, 1, true);
  }
  return 1 - torch::mm(a.slice(0, 0, queries), a.slice(0, queries).t());
}

torch::Tensor people(std::int64_t images, std::int64_t dim, double noise, std::int64_t seed) {
  torch::manual_seed(seed);
  const auto centers = torch::randn({std::max<std::int64_t>(2, images / 8), dim});
  const auto rows = centers.index_select(0, torch::randint(centers.size(0), {images}, torch::kLong)) +
                    noise * torch::randn({images, dim});
  return rows * torch::rand({images, 1}).mul(4).add(0.2);  // any length
}

}  // namespace

TEST_CASE("four images in two pairs, worked out by hand") {
  // Query 0 and image 1 are alike, images 2 and 3 are alike, and the pairs are at right angles.
  const auto rows = torch::tensor({{1.0F, 0.0F}, {2.0F, 0.0F}, {0.0F, 1.0F}, {0.0F, 5.0F}});
  const auto result = distances(rows, 1, params_of(2, 2));
  CHECK(largest_difference(result, torch::tensor({{0.0F, 1.0F, 1.0F}})) < 1e-6);
}

TEST_CASE("one layer of three images in a row, worked out by hand") {
  // Angles 0, 0.3 and 0.7: k1 = 2 gives A = {110, 110, 011}, B = A + A^T = {220, 221, 012 + 001}.
  const auto rows =
      torch::tensor({{1.0F, 0.0F}, {std::cos(0.3F), std::sin(0.3F)}, {std::cos(0.7F), std::sin(0.7F)}});
  const auto result = distances(rows, 1, params_of(2, 2, 1, 1));
  const auto b = torch::tensor({{2.0, 2.0, 0.0}, {2.0, 2.0, 1.0}, {0.0, 1.0, 2.0}}, torch::kDouble);
  const auto normalized = [](const torch::Tensor& row) { return row / row.norm(); };
  const auto zero = normalized(b[0] + std::cos(0.3) * b[1]);
  const auto one = normalized(b[1] + std::cos(0.3) * b[0]);
  const auto two = normalized(b[2] + std::cos(0.4) * b[1]);
  CHECK(result[0][0].item<double>() == doctest::Approx(1 - zero.dot(one).item<double>()).epsilon(1e-4));
  CHECK(result[0][1].item<double>() == doctest::Approx(1 - zero.dot(two).item<double>()).epsilon(1e-4));
}

TEST_CASE("the distances agree with the plain definition for any shape, parameters and ties") {
  struct Case {
    std::int64_t queries, images, dim, k1, k2;
    double alpha;
    std::int64_t layers;
    double noise;
    bool repeated;
  };
  const std::vector<Case> cases = {
      {1, 40, 8, 26, 7, 2, 2, 0.3, false},   {5, 20, 4, 3, 2, 1, 2, 0.5, false},
      {12, 60, 16, 20, 6, 2, 2, 0.4, false}, {30, 30, 32, 5, 2, 3, 1, 0.6, false},
      {7, 90, 12, 7, 3, 0, 3, 0.5, false},   {10, 50, 8, 10, 4, 2, 2, 0.6, true},
      {3, 70, 6, 20, 6, 2, 4, 0.2, true},    {2, 3, 5, 4, 7, 2, 2, 0.5, false},
      {1, 1, 4, 1, 7, 2, 2, 0.5, false},     {9, 45, 7, 1, 1, 2, 2, 0.3, false},
      {20, 40, 2, 6, 9, 2, 2, 0.1, true},    {8, 64, 128, 13, 1, 2, 2, 0.9, false},
      {6, 60, 10, 2, 5, 1.5, 2, 0.8, true},  {25, 80, 24, 9, 4, 2, 2, 1.0, false}};
  std::int64_t seed = 0;
  for (const auto& c : cases) {
    CAPTURE(++seed);
    auto rows = people(c.queries + c.images, c.dim, c.noise, seed);
    if (c.repeated) {
      const auto count = rows.size(0) / 3;
      rows.slice(0, rows.size(0) - count).copy_(rows.slice(0, 0, count).clone());
    }
    for (const auto search : {SearchPrecision::float32, SearchPrecision::bfloat16}) {
      auto params = params_of(c.k1, c.k2, c.alpha, c.layers);
      params.search = search;
      CHECK(largest_difference(distances(rows, c.queries, params), plain(rows, c.queries, params)) < 1e-5);
    }
  }
}

TEST_CASE("equal images are all at distance 0 where they see the same neighbors") {
  const auto rows = torch::ones({12, 4});
  const auto params = params_of(5, 3);
  const auto result = distances(rows, 4, params);
  CHECK(torch::isfinite(result).all().item<bool>());
  CHECK(largest_difference(result, torch::zeros({4, 8})) < 1e-6);
  CHECK(largest_difference(result, plain(rows, 4, params)) < 1e-6);
}

TEST_CASE("descriptors of length 1 are used as they are, others are not changed") {
  const auto rows = people(40, 8, 0.4, 50);
  Retrieval retrieval{rows.clone().contiguous(), 5, {}};
  test::FakeRetrievalHost host;
  GnnRerank(params_of(8, 3), {}).apply(retrieval, host);
  CHECK(torch::equal(retrieval.descriptors, rows));
  const auto unit = torch::nn::functional::normalize(rows);
  CHECK(largest_difference(distances(unit, 5, params_of(8, 3)), retrieval.distances(0, 5)) < 1e-5);
}

TEST_CASE("a block of queries is the same by itself as among all") {
  const auto rows = people(80, 16, 0.4, 51);
  Retrieval retrieval{rows.contiguous(), 20, {}};
  test::FakeRetrievalHost host;
  GnnRerank(params_of(10, 4), {}).apply(retrieval, host);
  CHECK(torch::equal(retrieval.distances(7, 9), retrieval.distances(0, 20).slice(0, 7, 9)));
}

TEST_CASE("the number of threads does not change a bit") {
  const auto rows = people(300, 16, 0.5, 52);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = distances(rows, 40, params_of(12, 5));
  at::set_num_threads(3);
  const auto three = distances(rows, 40, params_of(12, 5));
  at::set_num_threads(threads);
  CHECK(torch::equal(one, three));
}

TEST_CASE("too little memory is refused with what is enough, whatever the number of threads") {
  const auto rows = people(3000, 8, 0.8, 53);
  auto params = params_of(40, 20);
  params.memory_mib = 1;
  const auto threads = at::get_num_threads();
  std::vector<std::string> messages;
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    try {
      static_cast<void>(distances(rows, 5, params));
      FAIL("1 MiB was enough");
    } catch (const ComponentError& error) {
      messages.emplace_back(error.what());
    }
  }
  at::set_num_threads(threads);
  CHECK(messages[0] == messages[1]);

  const auto number_behind = [&](const std::string& text) {
    return std::stoll(messages[0].substr(messages[0].find(text) + text.size()));
  };
  const auto edges = number_behind("for the ");
  const auto enough = number_behind("allowed are ");
  CHECK(messages[0] == "post_processor/gnn_rerank: error: memory_mib = 1 is too small for the " +
                           std::to_string(edges) + " edges of 3000 images after layer 1; allowed are " +
                           std::to_string(enough) + " and more; or choose a smaller k1 and k2");
  params.memory_mib = enough - 1;
  CHECK_THROWS_AS(static_cast<void>(distances(rows, 5, params)), ComponentError);
  params.memory_mib = enough;
  CHECK(distances(rows, 5, params).size(1) == 2995);
}

TEST_CASE("a k1 that makes all images equal is refused, and one that nearly does is warned of") {
  const auto rows = people(20, 8, 0.5, 1);
  Retrieval retrieval{rows.clone().contiguous(), 5, {}};
  test::FakeRetrievalHost host;
  CHECK_THROWS_WITH_AS(GnnRerank(params_of(20, 3), {}).apply(retrieval, host),
                       "post_processor/gnn_rerank: error: k1 = 20 must be below the number of images, 20 "
                       "(queries and gallery): with everyone a neighbor of everyone, all distances would be "
                       "equal; choose a much smaller k1",
                       ComponentError);
  CHECK(host.warnings.empty());
  GnnRerank(params_of(10, 10), {}).apply(retrieval, host);
  CHECK(host.warnings.empty());
  GnnRerank(params_of(11, 3), {}).apply(retrieval, host);
  REQUIRE(host.warnings.size() == 1);
  CHECK(host.warnings[0].find("k1 = 11 is more than half of the 20 images") == 0);
}
