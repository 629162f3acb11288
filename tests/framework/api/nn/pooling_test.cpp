#include "kindred/nn/pooling.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

using namespace kindred;  // NOLINT
using Shape = std::vector<std::int64_t>;

namespace {

// The generalized mean of a stripe's values, in double precision.
double generalized_mean(const torch::Tensor& values, double p) {
  const auto flat = values.to(torch::kFloat64).flatten();
  double sum = 0;
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    sum += std::pow(std::max(flat[i].item<double>(), 1e-6), p);
  }
  return std::pow(sum / static_cast<double>(flat.numel()), 1 / p);
}

}  // namespace

TEST_CASE("average and maximum are taken over the whole map or over each stripe from top to bottom") {
  const auto map = torch::arange(24, torch::kFloat32).view({1, 1, 6, 4});
  CHECK(Pooling(PoolingKind::average).forward(map).item<double>() == doctest::Approx(11.5));
  CHECK(Pooling(PoolingKind::max).forward(map).item<double>() == 23);
  const auto means = Pooling(PoolingKind::average, 3).forward(map);
  CHECK(means.sizes().vec() == Shape{1, 1, 3, 1});
  CHECK(torch::allclose(means.flatten(), torch::tensor({3.5, 11.5, 19.5}, torch::kFloat32)));
  CHECK(torch::equal(Pooling(PoolingKind::max, 2).forward(map).flatten(),
                     torch::tensor({11.0, 23.0}, torch::kFloat32)));
}

TEST_CASE("stripes of a height that they do not divide overlap by the row that they share") {
  const auto map = torch::tensor({1.0, 5.0, 2.0}, torch::kFloat32).view({1, 1, 3, 1});
  CHECK(torch::equal(Pooling(PoolingKind::max, 2).forward(map).flatten(),
                     torch::tensor({5.0, 5.0}, torch::kFloat32)));
}

TEST_CASE("gem is the generalized mean, for its first exponent and for a learned one") {
  torch::manual_seed(1);
  const auto map = torch::randn({2, 3, 6, 4});
  for (const double p : {3.0, 1.0, 5.5}) {
    CAPTURE(p);
    Pooling whole(PoolingKind::gem);
    Pooling thirds(PoolingKind::gem, 3);
    {
      const torch::NoGradGuard no_grad;
      if (p != 3.0) {
        whole.parameters()[0].fill_(p);
        thirds.parameters()[0].fill_(p);
      }
    }
    const auto value = whole.forward(map);
    const auto values = thirds.forward(map);
    for (std::int64_t n = 0; n < 2; ++n) {
      for (std::int64_t c = 0; c < 3; ++c) {
        CHECK(value[n][c].item<double>() == doctest::Approx(generalized_mean(map[n][c], p)).epsilon(1e-4));
        for (std::int64_t stripe = 0; stripe < 3; ++stripe) {
          CHECK(values[n][c][stripe].item<double>() ==
                doctest::Approx(generalized_mean(map[n][c].narrow(0, stripe * 2, 2), p)).epsilon(1e-4));
        }
      }
    }
  }
}

TEST_CASE("gem learns its exponent and gives finite gradients on a map of zeros") {
  Pooling pooling(PoolingKind::gem);
  REQUIRE(pooling.parameters().size() == 1);
  CHECK(pooling.named_parameters()["p"].item<double>() == 3.0);
  auto zeros = torch::zeros({1, 2, 4, 4}).requires_grad_();
  pooling.forward(zeros).sum().backward();
  CHECK(zeros.grad().isfinite().all().item<bool>());
  CHECK(pooling.parameters()[0].grad().isfinite().all().item<bool>());

  pooling.zero_grad();
  pooling.forward(torch::rand({1, 2, 4, 4})).sum().backward();
  CHECK(pooling.parameters()[0].grad().item<double>() > 0);  // a larger exponent is nearer the maximum
}

TEST_CASE("gem computes in 32-bit floats when its map has fewer bits") {
  torch::manual_seed(1);
  const auto map = torch::rand({1, 2, 16, 8}).to(torch::kBFloat16);
  Pooling pooling(PoolingKind::gem);
  const auto value = pooling.forward(map);
  CHECK((value.scalar_type() == torch::kFloat32));
  CHECK(value[0][0].item<double>() == doctest::Approx(generalized_mean(map[0][0], 3)).epsilon(1e-5));
}

TEST_CASE("average and maximum have nothing to learn") {
  CHECK(Pooling(PoolingKind::average).parameters().empty());
  CHECK(Pooling(PoolingKind::max, 2).parameters().empty());
}

TEST_CASE("no stripes at all is refused") {
  CHECK_THROWS_AS(Pooling(PoolingKind::max, 0), std::logic_error);
}

TEST_CASE("a fixed exponent of gem is no parameter, and gives the mean of that exponent") {
  torch::manual_seed(2);
  const auto map = torch::rand({1, 2, 6, 4});
  Pooling pooling(PoolingKind::gem, 1, {.fixed = 2.5});
  CHECK(pooling.parameters().empty());
  CHECK(pooling.forward(map)[0][1].item<double>() ==
        doctest::Approx(generalized_mean(map[0][1], 2.5)).epsilon(1e-5));
  CHECK_THROWS_AS(Pooling(PoolingKind::gem, 1, {.fixed = 0.0}), std::logic_error);
  CHECK(wrong_gem_exponent(PoolingKind::average, 3.0) == "gem_exponent needs pooling = 'gem'");
  CHECK(wrong_gem_exponent(PoolingKind::gem, 3.0).empty());
  CHECK(wrong_gem_exponent(PoolingKind::average, std::nullopt).empty());
}

TEST_CASE("stripes with exponents of their own are means with these, also where they overlap") {
  torch::manual_seed(3);
  const auto map = torch::rand({1, 1, 7, 3});
  Pooling pooling(PoolingKind::gem, 2, {.per_stripe = true});
  REQUIRE(pooling.parameters().size() == 2);
  {
    const torch::NoGradGuard no_grad;
    pooling.named_parameters()["p_0"].fill_(2.0);
    pooling.named_parameters()["p_1"].fill_(5.0);
  }
  const auto values = pooling.forward(map);
  CHECK(values.sizes().vec() == Shape{1, 1, 2, 1});
  CHECK(values.flatten()[0].item<double>() ==
        doctest::Approx(generalized_mean(map.narrow(2, 0, 4), 2.0)).epsilon(1e-5));
  CHECK(values.flatten()[1].item<double>() ==
        doctest::Approx(generalized_mean(map.narrow(2, 3, 4), 5.0)).epsilon(1e-5));
}
