#include "proxy_anchor.h"

#include <doctest/doctest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <cstdint>
#include <memory>

using my_plugins::ProxyAnchor;

namespace {

/// Two identities whose proxies are the axes.
std::shared_ptr<ProxyAnchor> made_loss() {
  auto loss = std::make_shared<ProxyAnchor>(ProxyAnchor::Params{.scale = 2, .margin = 0.5},
                                            ProxyAnchor::Context{.dim = 2, .identities = 2});
  const torch::NoGradGuard no_grad;
  loss->named_parameters()["proxies"].copy_(torch::eye(2));
  return loss;
}

}  // namespace

TEST_CASE("the loss is that of equation 4") {
  const auto loss = made_loss();
  // Each image lies on its own proxy: cosine 1 to it, 0 to the other.
  const auto value = loss->forward(3 * torch::eye(2), torch::tensor({0, 1}, torch::kInt64));
  const double pull = std::log(1 + std::exp(-2 * (1 - 0.5)));
  const double push = std::log(1 + std::exp(2 * 0.5));
  CHECK(value.item<double>() == doctest::Approx(pull + push));
}

TEST_CASE("an identity without images in the batch is pushed only") {
  const auto value = made_loss()->forward(torch::eye(2), torch::tensor({0, 0}, torch::kInt64));
  const double pull = std::log(1 + std::exp(-2 * (1 - 0.5)) + std::exp(-2 * (0 - 0.5)));
  const double push = std::log(1 + std::exp(2 * (0 + 0.5)) + std::exp(2 * (1 + 0.5)));
  CHECK(value.item<double>() == doctest::Approx(pull + push / 2));
}

TEST_CASE("images and proxies are trained") {
  const auto loss = made_loss();
  const auto output = torch::full({2, 2}, 0.5, torch::requires_grad());
  loss->forward(output, torch::tensor({0, 1}, torch::kInt64)).backward();
  CHECK(output.grad().abs().sum().item<double>() > 0);
  CHECK(loss->named_parameters()["proxies"].grad().abs().sum().item<double>() > 0);
}

TEST_CASE("the stream decides the first proxies") {
  const auto proxies = [](std::uint64_t seed) {
    return ProxyAnchor({}, {4, 3, std::make_shared<kindred::RandomStream>(seed)}).parameters()[0];
  };
  CHECK(torch::equal(proxies(1), proxies(1)));
  CHECK_FALSE(torch::equal(proxies(1), proxies(2)));
}
