#include "triplet.h"
#include "tensor_checks.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using kindred::test::labels_of;
using kindred::triplet::Triplet;

namespace {

const kindred::Loss::Context context{8, 4};

// The definition, pair by pair, in double precision.
double brute_force(const torch::Tensor& vectors, const torch::Tensor& labels, double margin) {
  const auto x = vectors.detach().to(torch::kFloat64).contiguous();
  const auto n = x.size(0);
  double sum = 0;
  std::int64_t anchors = 0;
  for (std::int64_t a = 0; a < n; ++a) {
    double farthest = -1;
    double nearest = std::numeric_limits<double>::infinity();
    for (std::int64_t b = 0; b < n; ++b) {
      if (b == a) continue;
      double squared = 0;
      for (std::int64_t i = 0; i < x.size(1); ++i) {
        const double difference = x[a][i].item<double>() - x[b][i].item<double>();
        squared += difference * difference;
      }
      const double d = std::sqrt(std::max(squared, 1e-12));
      const bool same = labels[a].item<std::int64_t>() == labels[b].item<std::int64_t>();
      if (same) {
        farthest = std::max(farthest, d);
      } else {
        nearest = std::min(nearest, d);
      }
    }
    if (farthest < 0 || std::isinf(nearest)) continue;
    ++anchors;
    const double gap = farthest - nearest;
    sum += margin > 0 ? std::max(0.0, gap + margin) : std::log1p(std::exp(gap));
  }
  return anchors == 0 ? 0 : sum / static_cast<double>(anchors);
}

}  // namespace

TEST_CASE("the loss is that of a search over all pairs, for any margin") {
  torch::manual_seed(3);
  const auto labels = labels_of({0, 1, 0, 2, 1, 0, 2, 3, 3, 1});
  for (const double margin : {0.0, 0.3, 1.0, 5.0}) {
    for (int repetition = 0; repetition < 5; ++repetition) {
      CAPTURE(margin);
      const auto vectors = torch::randn({10, 8});
      Triplet loss({.margin = margin}, context);
      CHECK(loss.forward(vectors, labels).item<double>() ==
            doctest::Approx(brute_force(vectors, labels, margin)).epsilon(1e-5));
    }
  }
}

TEST_CASE("hard triplets are worked out by hand") {
  // On a line: 0 and 3 are of one identity, 1 and 7 of another.
  const auto vectors = torch::tensor({{0.0}, {3.0}, {1.0}, {7.0}}, torch::kFloat32);
  const auto labels = labels_of({0, 0, 1, 1});
  Triplet loss({.margin = 1.0}, {1, 2});
  // d_ap 3, 3, 6, 6; d_an 1, 2, 1, 4.
  CHECK(loss.forward(vectors, labels).item<double>() == doctest::Approx((3.0 + 2.0 + 6.0 + 3.0) / 4));
}

TEST_CASE("gradients are those of finite differences") {
  torch::manual_seed(5);
  const auto labels = labels_of({0, 0, 1, 1, 2, 2});
  for (const double margin : {0.0, 2.0}) {
    CAPTURE(margin);
    Triplet loss({.margin = margin}, context);
    auto vectors = torch::randn({6, 3}).requires_grad_();
    loss.forward(vectors, labels).backward();
    for (std::int64_t i = 0; i < vectors.numel(); ++i) {
      const double step = 1e-5;
      auto plus = vectors.detach().to(torch::kFloat64).clone();
      auto minus = plus.clone();
      plus.view(-1)[i] += step;
      minus.view(-1)[i] -= step;
      const double slope =
          (brute_force(plus, labels, margin) - brute_force(minus, labels, margin)) / (2 * step);
      CHECK(vectors.grad().view(-1)[i].item<double>() == doctest::Approx(slope).epsilon(1e-3));
    }
  }
}

TEST_CASE("equal vectors give finite gradients") {
  auto vectors = torch::ones({4, 8}).requires_grad_();
  Triplet loss({.margin = 1.0}, context);
  const auto value = loss.forward(vectors, labels_of({0, 0, 1, 1}));
  value.backward();
  CHECK(value.item<double>() == doctest::Approx(1.0));
  CHECK(vectors.grad().isfinite().all().item<bool>());
}

TEST_CASE("long vectors that lie near each other keep their distances") {
  // Squares of 1e3-long vectors cancel in 32 bits: a product of matrices would see distances of 0.
  const auto vectors =
      torch::tensor({{1000.0, 0.0}, {1000.0, 0.01}, {1000.0, 0.03}, {1000.0, 0.07}}, torch::kFloat32);
  const auto labels = labels_of({0, 0, 1, 1});
  Triplet loss({.margin = 1.0}, {2, 2});
  // d_ap 0.01, 0.01, 0.04, 0.04; d_an 0.03, 0.02, 0.02, 0.06.
  CHECK(loss.forward(vectors, labels).item<double>() == doctest::Approx(0.9925).epsilon(1e-4));
}

TEST_CASE("an anchor without a positive or without a negative does not count") {
  torch::manual_seed(11);
  const auto vectors = torch::randn({3, 8});
  Triplet loss({.margin = 1.0}, context);
  SUBCASE("an identity with one image has no positive") {
    const auto labels = labels_of({0, 0, 1});
    CHECK(loss.forward(vectors, labels).item<double>() ==
          doctest::Approx(brute_force(vectors, labels, 1.0)).epsilon(1e-5));
  }
  SUBCASE("a batch of strangers has loss 0 and gradient 0") {
    auto leaf = vectors.clone().requires_grad_();
    const auto value = loss.forward(leaf, labels_of({0, 1, 2}));
    value.backward();
    CHECK(value.item<double>() == 0);
    CHECK(leaf.grad().eq(0).all().item<bool>());
  }
  SUBCASE("a batch of one person has loss 0 and gradient 0") {
    auto leaf = vectors.clone().requires_grad_();
    const auto value = loss.forward(leaf, labels_of({1, 1, 1}));
    value.backward();
    CHECK(value.item<double>() == 0);
    CHECK(leaf.grad().eq(0).all().item<bool>());
  }
}

TEST_CASE("vectors that are not finite are not hidden") {
  auto vectors = torch::randn({4, 8});
  vectors[0][0] = std::numeric_limits<float>::quiet_NaN();
  Triplet loss({.margin = 1.0}, context);
  CHECK(std::isnan(loss.forward(vectors, labels_of({0, 0, 1, 1})).item<double>()));
}

TEST_CASE("the loss works on features and has nothing to train") {
  Triplet loss({}, context);
  CHECK((loss.takes() == std::vector{kindred::OutputKind::feature}));
  CHECK(loss.parameters().empty());
  CHECK(loss.own_optimizer() == nullptr);
}

TEST_CASE("the figures are the mean distances to the hardest images, over the anchors that have both") {
  Triplet loss({.margin = 0.3}, context);
  CHECK(loss.needs_pairs());
  CHECK(loss.figures() == std::vector<std::string>{"d_ap", "d_an"});
  // On a line: 0 and 1 of one person, 5 of another, which has no second image.
  auto vectors = torch::zeros({3, 8});
  vectors[1][0] = 1;
  vectors[2][0] = 5;
  static_cast<void>(loss.forward(vectors.requires_grad_(), labels_of({0, 0, 1})));
  const auto values = loss.figure_values();
  CHECK_FALSE(values.requires_grad());
  CHECK(values[0].item<double>() == doctest::Approx(1));
  CHECK(values[1].item<double>() == doctest::Approx(4.5));
  static_cast<void>(loss.forward(torch::randn({2, 8}), labels_of({0, 1})));
  CHECK(std::isnan(loss.figure_values()[0].item<double>()));
  CHECK(std::isnan(loss.figure_values()[1].item<double>()));
}
