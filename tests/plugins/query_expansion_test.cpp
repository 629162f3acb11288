#include "query_expansion.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "database_augmentation.h"
#include "fake_retrieval_host.h"
#include "tensor_checks.h"

using namespace kindred;
using namespace kindred::query_expansion;
using kindred::test::largest_difference;

namespace {

ExpansionParams params_of(std::int64_t k, double alpha) {
  ExpansionParams params;
  params.k = k;
  params.alpha = alpha;
  return params;
}

template <class Component>
torch::Tensor applied(const torch::Tensor& rows, std::int64_t queries, const ExpansionParams& params) {
  Retrieval retrieval{rows.clone().contiguous(), queries, {}};
  test::FakeRetrievalHost host;
  Component(params, {}).apply(retrieval, host);
  CHECK(host.last_done == host.last_total);
  CHECK(host.last_total > 0);
  return retrieval.descriptors;
}

/// The definition in 64 bits, one row after another.
torch::Tensor plain(const torch::Tensor& rows, const torch::Tensor& gallery, std::int64_t k, double alpha,
                    bool among_themselves) {
  const auto x = torch::nn::functional::normalize(rows.to(torch::kDouble));
  const auto g = torch::nn::functional::normalize(gallery.to(torch::kDouble));
  const auto cosines = torch::mm(x, g.t());
  auto result = x.clone();
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    std::vector<std::int64_t> order;
    for (std::int64_t j = 0; j < g.size(0); ++j) {
      if (!(among_themselves && i == j)) order.push_back(j);
    }
    const auto* cosine = cosines[i].data_ptr<double>();
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return cosine[a] > cosine[b]; });
    order.resize(std::min<std::size_t>(order.size(), static_cast<std::size_t>(k)));
    for (const auto j : order) {
      if (cosine[j] > 0) result[i] += std::pow(cosine[j], alpha) * g[j];
    }
  }
  return torch::nn::functional::normalize(result);
}

torch::Tensor some_rows(std::int64_t count, std::int64_t dim, std::int64_t seed) {
  torch::manual_seed(seed);
  const auto centers = torch::randn({std::max<std::int64_t>(count / 6, 2), dim});
  const auto rows = centers.index_select(0, torch::randint(centers.size(0), {count}, torch::kLong)) +
                    0.5 * torch::randn({count, dim});
  return rows * torch::rand({count, 1}).mul(5).add(0.1);  // any length
}

}  // namespace

TEST_CASE("a query and two images, worked out by hand") {
  // The query along x; cosines 0.8 and 0.6; the third image is not among the nearest 2.
  const auto rows = torch::tensor({{10.0F, 0.0F}, {0.8F, 0.6F}, {1.2F, 1.6F}, {0.0F, 3.0F}});
  const auto average = applied<QueryExpansion>(rows, 1, params_of(2, 0));
  // 1 + 0.8 + 0.6 = 2.4 and 0.6 + 0.8 = 1.4
  CHECK(average[0][0].item<double>() == doctest::Approx(2.4 / std::hypot(2.4, 1.4)));
  CHECK(average[0][1].item<double>() == doctest::Approx(1.4 / std::hypot(2.4, 1.4)));
  const auto squared = applied<QueryExpansion>(rows, 1, params_of(2, 2));
  // 1 + 0.64 * 0.8 + 0.36 * 0.6 = 1.728 and 0.64 * 0.6 + 0.36 * 0.8 = 0.672
  CHECK(squared[0][0].item<double>() == doctest::Approx(1.728 / std::hypot(1.728, 0.672)));
  CHECK(squared[0][1].item<double>() == doctest::Approx(0.672 / std::hypot(1.728, 0.672)));
  // The gallery is scaled only.
  CHECK(largest_difference(squared.slice(0, 1), torch::tensor({{0.8F, 0.6F}, {0.6F, 0.8F}, {0.0F, 1.0F}})) <
        1e-6);
}

TEST_CASE("query expansion agrees with the plain definition for any shape, k and alpha") {
  struct Case {
    std::int64_t queries, images, dim, k;
    double alpha;
  };
  const std::vector<Case> cases = {{1, 30, 8, 5, 3}, {10, 60, 16, 5, 3},   {7, 50, 4, 10, 0}, {5, 3, 6, 5, 3},
                                   {4, 1, 5, 5, 3},  {20, 20, 32, 1, 1.5}, {1, 1, 3, 1, 0}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    const auto& c = cases[i];
    const auto rows = some_rows(c.queries + c.images, c.dim, static_cast<std::int64_t>(i));
    const auto query = rows.slice(0, 0, c.queries);
    const auto gallery = rows.slice(0, c.queries);
    const auto result = applied<QueryExpansion>(rows, c.queries, params_of(c.k, c.alpha));
    CHECK(largest_difference(result.slice(0, 0, c.queries), plain(query, gallery, c.k, c.alpha, false)) <
          1e-5);
    CHECK(largest_difference(result.slice(0, c.queries), torch::nn::functional::normalize(gallery)) < 1e-6);
  }
}

TEST_CASE("database augmentation agrees with the plain definition and leaves the queries") {
  struct Case {
    std::int64_t queries, images, dim, k;
    double alpha;
  };
  const std::vector<Case> cases = {
      {5, 40, 8, 5, 3}, {2, 60, 16, 8, 0}, {3, 4, 6, 5, 3}, {1, 1, 4, 5, 3}, {6, 30, 12, 1, 2}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    const auto& c = cases[i];
    const auto rows = some_rows(c.queries + c.images, c.dim, 20 + static_cast<std::int64_t>(i));
    const auto gallery = rows.slice(0, c.queries);
    const auto result = applied<DatabaseAugmentation>(rows, c.queries, params_of(c.k, c.alpha));
    CHECK(largest_difference(result.slice(0, c.queries), plain(gallery, gallery, c.k, c.alpha, true)) < 1e-5);
    CHECK(largest_difference(result.slice(0, 0, c.queries),
                             torch::nn::functional::normalize(rows.slice(0, 0, c.queries))) < 1e-6);
  }
}

TEST_CASE("copies of an image count as its neighbors, however many they are") {
  // Seven copies along x and one image aside: with k = 3 only copies are averaged.
  auto rows = torch::tensor({{1.0F, 0.0F}}).repeat({9, 1});
  rows[8][0] = 0.6F;
  rows[8][1] = 0.8F;
  const auto result = applied<DatabaseAugmentation>(rows, 1, params_of(3, 3));
  for (std::int64_t i = 1; i < 8; ++i)
    CHECK(largest_difference(result[i], torch::tensor({1.0F, 0.0F})) < 1e-6);
  // The image aside takes three copies in, each with weight 0.6^3: 0.6 + 0.648 and 0.8.
  CHECK(result[8][0].item<double>() == doctest::Approx(1.248 / std::hypot(1.248, 0.8)));
}

TEST_CASE("an image that points away weighs nothing, and nothing cancels out") {
  const auto rows = torch::tensor({{1.0F, 0.0F}, {-1.0F, 0.0F}, {-0.6F, 0.8F}});
  for (const double alpha : {0.0, 3.0}) {
    const auto result = applied<QueryExpansion>(rows, 1, params_of(2, alpha));
    CHECK(largest_difference(result, rows) < 1e-6);
  }
}

TEST_CASE("the number of threads does not change a bit of an expansion") {
  const auto rows = some_rows(300, 16, 40);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto query = applied<QueryExpansion>(rows, 50, params_of(5, 3));
  const auto gallery = applied<DatabaseAugmentation>(rows, 50, params_of(5, 3));
  at::set_num_threads(3);
  CHECK(torch::equal(query, applied<QueryExpansion>(rows, 50, params_of(5, 3))));
  CHECK(torch::equal(gallery, applied<DatabaseAugmentation>(rows, 50, params_of(5, 3))));
  at::set_num_threads(threads);
}

TEST_CASE("a k of more than half of the gallery is warned of") {
  const auto warnings = [](const PostProcessor& component) {
    Retrieval retrieval{some_rows(13, 4, 1).contiguous(), 3, {}};
    test::FakeRetrievalHost host;
    component.apply(retrieval, host);
    return host.warnings;
  };
  CHECK(warnings(QueryExpansion(params_of(5, 3), {})).empty());
  const auto said = warnings(QueryExpansion(params_of(6, 3), {}));
  REQUIRE(said.size() == 1);
  CHECK(said[0] ==
        "k = 6 averages with more than half of 10 gallery images, also those of other people; "
        "choose a smaller k");
  CHECK(warnings(DatabaseAugmentation(params_of(4, 3), {})).empty());
  CHECK(warnings(DatabaseAugmentation(params_of(5, 3), {})).size() == 1);
}
