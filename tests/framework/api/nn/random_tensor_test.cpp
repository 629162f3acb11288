#include "kindred/nn/random_tensor.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

using namespace kindred;

TEST_CASE("a tensor of random numbers holds the stream's numbers in the order of memory") {
  RandomStream random(7);
  RandomStream same(7);
  const auto normal = random_normal({2, 3}, random, 5, 2);
  REQUIRE(normal.sizes() == torch::IntArrayRef({2, 3}));
  CHECK(normal.dtype() == torch::kFloat32);
  for (int i = 0; i < 6; ++i) {
    CHECK(normal.view({6})[i].item<float>() == static_cast<float>(same.normal(5, 2)));
  }
  const auto uniform = random_uniform({4}, random, -3, 1);
  for (int i = 0; i < 4; ++i) CHECK(uniform[i].item<float>() == static_cast<float>(same.uniform(-3, 1)));
  CHECK(random() == same());
}

TEST_CASE("random tensors have the distribution that was asked for") {
  RandomStream random(1);
  const auto normal = random_normal({100000}, random, 5, 2);
  CHECK(normal.mean().item<double>() == doctest::Approx(5).epsilon(0.01));
  CHECK(normal.std().item<double>() == doctest::Approx(2).epsilon(0.01));
  const auto uniform = random_uniform({100000}, random, -3, 1);
  CHECK(uniform.min().item<double>() >= -3);
  CHECK(uniform.max().item<double>() <= 1);
  CHECK(uniform.mean().item<double>() == doctest::Approx(-1).epsilon(0.02));
}

TEST_CASE("a random tensor may be empty") {
  RandomStream random(1);
  CHECK(random_normal({0, 4}, random).numel() == 0);
}
