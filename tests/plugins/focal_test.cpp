#include "focal.h"
#include "tensor_checks.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <vector>

using kindred::focal::Focal;
using kindred::test::labels_of;

namespace {

const kindred::Loss::Context context{5, 5};

// The definition, image by image, in double precision.
double brute_force(const torch::Tensor& logits, const torch::Tensor& labels, double gamma) {
  const auto x = logits.detach().to(torch::kFloat64);
  double sum = 0;
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    double normalizer = 0;
    for (std::int64_t k = 0; k < x.size(1); ++k) normalizer += std::exp(x[n][k].item<double>());
    const double p = std::exp(x[n][labels[n].item<std::int64_t>()].item<double>()) / normalizer;
    sum -= std::pow(1 - p, gamma) * std::log(p);
  }
  return sum / static_cast<double>(x.size(0));
}

}  // namespace

TEST_CASE("the loss is that of the definition") {
  torch::manual_seed(2);
  const auto logits = torch::randn({6, 5}) * 3;
  const auto labels = labels_of({0, 4, 2, 2, 1, 3});
  for (const double gamma : {0.0, 0.5, 1.0, 2.0, 5.0}) {
    CAPTURE(gamma);
    Focal loss({.gamma = gamma}, context);
    CHECK(loss.forward(logits, labels).item<double>() ==
          doctest::Approx(brute_force(logits, labels, gamma)).epsilon(1e-5));
  }
}

TEST_CASE("with gamma 2 an image that is classified nine times in ten counts a hundredth") {
  // p = 0.9 of two identities.
  const auto logits = torch::tensor({{std::log(9.0), 0.0}}, torch::kFloat32);
  Focal focal({}, {2, 2});
  CHECK(focal.forward(logits, labels_of({0})).item<double>() ==
        doctest::Approx(-0.01 * std::log(0.9)).epsilon(1e-4));
}

TEST_CASE("gamma 0 is cross entropy") {
  torch::manual_seed(6);
  const auto logits = torch::randn({4, 5});
  const auto labels = labels_of({1, 0, 3, 3});
  Focal loss({.gamma = 0}, context);
  CHECK(loss.forward(logits, labels).item<double>() ==
        doctest::Approx(torch::nn::functional::cross_entropy(logits, labels).item<double>()));
}

TEST_CASE("gradients are those of finite differences") {
  torch::manual_seed(4);
  const auto labels = labels_of({1, 0, 4});
  for (const double gamma : {0.5, 2.0}) {
    CAPTURE(gamma);
    Focal loss({.gamma = gamma}, context);
    auto logits = torch::randn({3, 5}).requires_grad_();
    loss.forward(logits, labels).backward();
    for (std::int64_t i = 0; i < logits.numel(); ++i) {
      const double step = 1e-5;
      auto plus = logits.detach().to(torch::kFloat64).clone();
      auto minus = plus.clone();
      plus.view(-1)[i] += step;
      minus.view(-1)[i] -= step;
      const double slope =
          (brute_force(plus, labels, gamma) - brute_force(minus, labels, gamma)) / (2 * step);
      CHECK(logits.grad().view(-1)[i].item<double>() == doctest::Approx(slope).epsilon(1e-3));
    }
  }
}

TEST_CASE("certainty, right or wrong, gives finite losses and gradients") {
  for (const double gamma : {0.0, 0.5, 1.0, 2.0}) {
    CAPTURE(gamma);
    Focal loss({.gamma = gamma}, context);
    auto logits = torch::tensor({{1e4, 0.0, 0.0, 0.0, -1e4}}, torch::kFloat32).requires_grad_();
    const auto right = loss.forward(logits, labels_of({0}));
    CHECK(right.item<double>() == 0);
    const auto wrong = loss.forward(logits, labels_of({4}));
    CHECK(wrong.item<double>() == doctest::Approx(2e4));
    (right + wrong).backward();
    CHECK(logits.grad().isfinite().all().item<bool>());
    // As of cross entropy: the wrong certainty is pulled down and the right identity up.
    CHECK(logits.grad()[0][0].item<double>() == doctest::Approx(1));
    CHECK(logits.grad()[0][4].item<double>() == doctest::Approx(-1));
  }
}

TEST_CASE("a single identity has nothing to learn") {
  auto logits = torch::tensor({{3.0}, {-2.0}}, torch::kFloat32).requires_grad_();
  Focal loss({}, {1, 1});
  const auto value = loss.forward(logits, labels_of({0, 0}));
  value.backward();
  CHECK(value.item<double>() == 0);
  CHECK(logits.grad().eq(0).all().item<bool>());
}

TEST_CASE("the loss works on logits and has nothing to train") {
  Focal loss({}, context);
  CHECK((loss.takes() == std::vector{kindred::OutputKind::logits}));
  CHECK(loss.parameters().empty());
  CHECK(loss.own_optimizer() == nullptr);
}
