#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <tuple>

#include "fake_retrieval_host.h"
#include "kindred/core/error.h"
#include "normalize_descriptors.h"
#include "pca_whitening.h"
#include "tensor_checks.h"

using namespace kindred;
using namespace kindred::descriptor_transforms;
using kindred::test::largest_difference;

namespace {

template <class Component>
torch::Tensor applied(const torch::Tensor& rows, std::int64_t queries,
                      const typename Component::Params& params) {
  Retrieval retrieval{rows.clone().contiguous(), queries, {}};
  test::FakeRetrievalHost host;
  Component(params, {}).apply(retrieval, host);
  return retrieval.descriptors;
}

PcaWhitening::Params pca(std::int64_t dim, double whiten, double eps = 0) {
  PcaWhitening::Params params;
  params.dim = dim;
  params.whiten = whiten;
  params.eps = eps;
  return params;
}

torch::Tensor unit(const torch::Tensor& rows) {
  return torch::nn::functional::normalize(rows.to(torch::kDouble));
}

torch::Tensor cosines(const torch::Tensor& rows) {
  const auto u = unit(rows);
  return torch::mm(u, u.t());
}

/// Rows with variances far apart and a mean, of any length.
torch::Tensor some_rows(std::int64_t count, std::int64_t dim, std::int64_t seed) {
  torch::manual_seed(seed);
  const auto mixing = torch::randn({dim, dim});
  const auto rows = torch::mm(torch::randn({count, dim}) * torch::logspace(0, -1, dim), mixing) + 1;
  return rows * torch::rand({count, 1}).mul(5).add(0.1);
}

}  // namespace

TEST_CASE("normalizing scales rows of any length to 1") {
  const auto rows = torch::tensor({{3.0F, 4.0F}, {0.0F, -7.0F}, {3e20F, 4e20F}});
  const auto result = applied<NormalizeDescriptors>(rows, 1, {});
  CHECK(largest_difference(result, torch::tensor({{0.6, 0.8}, {0.0, -1.0}, {0.6, 0.8}}, torch::kDouble)) <
        1e-7);
}

TEST_CASE("centring subtracts the mean of the gallery's scaled rows from both sides") {
  // The gallery's directions are x and y, their mean (0.5, 0.5).
  const auto rows = torch::tensor({{2.0F, 0.0F}, {9.0F, 0.0F}, {0.0F, 3.0F}});
  NormalizeDescriptors::Params params;
  params.center = true;
  const auto result = applied<NormalizeDescriptors>(rows, 1, params);
  const double half = std::sqrt(0.5);
  CHECK(largest_difference(
            result, torch::tensor({{half, -half}, {half, -half}, {-half, half}}, torch::kDouble)) < 1e-6);
}

TEST_CASE("a row that equals the mean is refused when centring") {
  NormalizeDescriptors::Params params;
  params.center = true;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(applied<NormalizeDescriptors>(torch::ones({3, 4}), 1, params)),
      "post_processor/normalize: error: row 0 (from 0, the queries first) equals the mean of the gallery, so "
      "centering leaves no direction; leave that image out or set center = false",
      ComponentError);
}

TEST_CASE("with all components and no whitening only the mean is taken away") {
  const auto rows = some_rows(60, 8, 1);
  const auto result = applied<PcaWhitening>(rows, 10, pca(0, 0));
  CHECK(result.size(1) == 8);
  const auto mean = unit(rows.slice(0, 10)).mean(0);
  CHECK(largest_difference(cosines(result), cosines(unit(rows) - mean)) < 1e-5);
}

TEST_CASE("whitened components of the gallery are uncorrelated with variance 1") {
  const auto rows = some_rows(200, 6, 2);
  for (const std::int64_t dim : {0, 4}) {
    CAPTURE(dim);
    const auto result = applied<PcaWhitening>(rows, 20, pca(dim, 0.5));
    // Mahalanobis: with all components, y . y' is proportional to (x - m)^T C^-1 (x' - m).
    const auto learned = unit(rows.slice(0, 20));
    const auto mean = learned.mean(0);
    const auto centered = learned - mean;
    const auto svd = torch::svd(centered);
    const auto kept = dim == 0 ? 6 : dim;
    const auto onto = std::get<2>(svd).slice(1, 0, kept) / std::get<1>(svd).slice(0, 0, kept);
    const auto expected = torch::mm(unit(rows) - mean, onto);
    CHECK(result.size(1) == kept);
    CHECK(largest_difference(cosines(result), cosines(expected)) < 1e-4);
    const auto whole = torch::mm(centered, onto);
    CHECK(largest_difference(torch::mm(whole.t(), whole), torch::eye(kept, torch::kDouble)) < 1e-9);
  }
}

TEST_CASE("the power and eps of whitening, worked out by hand") {
  // Gallery on the axes: variances along x and y are 2/4 and 2/4 of unit rows; make x common and y rare.
  const auto gallery = torch::tensor({{1.0F, 0.0F, 0.0F},
                                      {-1.0F, 0.0F, 0.0F},
                                      {1.0F, 0.0F, 0.0F},
                                      {-1.0F, 0.0F, 0.0F},
                                      {0.0F, 1.0F, 0.0F},
                                      {0.0F, -1.0F, 0.0F}});
  const auto query = torch::tensor({{0.6F, 0.8F, 0.0F}});
  const auto rows = torch::cat({query, gallery});
  // Variances 4/6 and 2/6, mean 0. The first component is x, its sign positive.
  const auto check = [&](double whiten, double eps) {
    const auto result = applied<PcaWhitening>(rows, 1, pca(2, whiten, eps));
    const double x = 0.6 / std::pow(4.0 / 6 + eps * 4 / 6, whiten);
    const double y = 0.8 / std::pow(2.0 / 6 + eps * 4 / 6, whiten);
    CHECK(result[0][0].item<double>() == doctest::Approx(x / std::hypot(x, y)));
    CHECK(result[0][1].item<double>() == doctest::Approx(y / std::hypot(x, y)));
  };
  check(0, 0);
  check(0.5, 0);
  check(0.25, 0);
  check(0.5, 0.1);
  check(0.5, 1);
}

TEST_CASE("components can be learned on queries and gallery together") {
  const auto rows = some_rows(30, 5, 3);
  auto params = pca(0, 0);
  params.learn_on = PcaWhitening::Learn::all;
  const auto mean = unit(rows).mean(0);
  CHECK(largest_difference(cosines(applied<PcaWhitening>(rows, 10, params)), cosines(unit(rows) - mean)) <
        1e-5);
}

TEST_CASE("more components than there are is refused with what there are") {
  const auto rows = some_rows(12, 8, 4);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(applied<PcaWhitening>(rows, 7, pca(5, 0.5))),
      "post_processor/pca_whitening: error: dim = 5 is more than the number of principal components of the "
      "gallery's 5 descriptors of 8 numbers; allowed are 1 to 4, or 0 for all",
      ComponentError);
  CHECK(applied<PcaWhitening>(rows, 7, pca(4, 0.5)).size(1) == 4);
  CHECK(applied<PcaWhitening>(rows, 7, pca(0, 0.5)).size(1) == 4);
}

TEST_CASE("descriptors that do not differ are refused") {
  const auto* message =
      "post_processor/pca_whitening: error: all of the gallery's descriptors are equal, so they have no "
      "principal components; remove this post-processor";
  CHECK_THROWS_WITH_AS(static_cast<void>(applied<PcaWhitening>(some_rows(5, 8, 5), 4, pca(0, 0.5))), message,
                       ComponentError);
  torch::manual_seed(6);
  const auto copies = torch::cat({torch::rand({2, 8}), torch::rand({1, 8}).repeat({40, 1})});
  CHECK_THROWS_WITH_AS(static_cast<void>(applied<PcaWhitening>(copies, 2, pca(0, 0.5))), message,
                       ComponentError);
}

TEST_CASE("an image that the kept components say nothing of is named") {
  const auto rows = torch::tensor({{1.0F, 0.0F}, {0.0F, 1.0F}, {1.0F, 0.0F}, {-1.0F, 0.0F}});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(applied<PcaWhitening>(rows, 2, pca(1, 0.5))),
      "post_processor/pca_whitening: error: row 1 (from 0, the queries first) equals the mean in all "
      "components that are kept, so it has no direction; keep more components (dim) or leave that image out",
      ComponentError);
}

TEST_CASE("the number of threads does not change the components beyond rounding") {
  const auto rows = some_rows(300, 24, 7);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = applied<PcaWhitening>(rows, 40, pca(12, 0.5, 1e-5));
  at::set_num_threads(3);
  const auto three = applied<PcaWhitening>(rows, 40, pca(12, 0.5, 1e-5));
  at::set_num_threads(threads);
  CHECK(largest_difference(one, three) < 1e-6);
}
