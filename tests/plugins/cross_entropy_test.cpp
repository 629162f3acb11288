#include "cross_entropy.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <vector>

using kindred::cross_entropy::CrossEntropy;

namespace {

const kindred::Loss::Context context{5, 5};

// -sum_k q_k log p_k with q = (1 - e) [k = y] + e / K, element by element.
double by_definition(const torch::Tensor& logits, const torch::Tensor& labels, double smoothing) {
  const auto x = logits.detach().to(torch::kFloat64);
  const auto n = x.size(0);
  const auto classes = x.size(1);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double normalizer = 0;
    for (std::int64_t k = 0; k < classes; ++k) normalizer += std::exp(x[i][k].item<double>());
    for (std::int64_t k = 0; k < classes; ++k) {
      const double log_p = x[i][k].item<double>() - std::log(normalizer);
      const double right = labels[i].item<std::int64_t>() == k ? 1.0 : 0.0;
      const double q = (1 - smoothing) * right + smoothing / static_cast<double>(classes);
      sum -= q * log_p;
    }
  }
  return sum / static_cast<double>(n);
}

}  // namespace

TEST_CASE("the loss is that of the definition, from no smoothing to all of it") {
  torch::manual_seed(2);
  const auto logits = torch::randn({6, 5}) * 3;
  const auto labels = torch::tensor({0, 4, 2, 2, 1, 3}, torch::kInt64);
  for (const double smoothing : {0.0, 0.1, 0.5, 1.0}) {
    CAPTURE(smoothing);
    CrossEntropy loss({.label_smoothing = smoothing}, context);
    CHECK(loss.forward(logits, labels).item<double>() ==
          doctest::Approx(by_definition(logits, labels, smoothing)).epsilon(1e-5));
  }
}

TEST_CASE("the gradient is the difference between the two distributions") {
  torch::manual_seed(4);
  auto logits = torch::randn({3, 5}).requires_grad_();
  const auto labels = torch::tensor({1, 0, 4}, torch::kInt64);
  CrossEntropy loss({.label_smoothing = 0.1}, context);
  loss.forward(logits, labels).backward();
  const auto target = torch::one_hot(labels, 5) * 0.9 + 0.02;
  const auto expected = (logits.detach().softmax(1) - target) / 3;
  CHECK((logits.grad() - expected).abs().max().item<double>() < 1e-6);
}

TEST_CASE("huge logits stay finite") {
  const auto logits = torch::tensor({{1e4, 0.0, 0.0, 0.0, -1e4}}, torch::kFloat32);
  CrossEntropy loss({}, context);
  CHECK(loss.forward(logits, torch::tensor({0}, torch::kInt64)).item<double>() == doctest::Approx(0));
  CHECK(loss.forward(logits, torch::tensor({4}, torch::kInt64)).item<double>() == doctest::Approx(2e4));
}

TEST_CASE("the loss works on logits and has nothing to train") {
  CrossEntropy loss({}, context);
  CHECK((loss.takes() == std::vector{kindred::OutputKind::logits}));
  CHECK(loss.parameters().empty());
  CHECK(loss.own_optimizer() == nullptr);
}
