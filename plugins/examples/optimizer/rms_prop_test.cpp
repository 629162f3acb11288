#include "rms_prop.h"

#include <doctest/doctest.h>
#include <torch/types.h>

using my_plugins::RmsProp;

TEST_CASE("a step divides the gradient by the root of its mean square") {
  auto weight = torch::full({1}, 1.0, torch::requires_grad());
  const RmsProp recipe({.learning_rate = 0.1, .alpha = 0.75, .momentum = 0, .weight_decay = 0}, {});
  const auto optimizer = recipe.build({{{weight}, 1}});
  weight.mutable_grad() = torch::full({1}, 4.0);
  optimizer->step();
  // 4 / sqrt(0.25 x 16) = 2
  CHECK(weight.item<double>() == doctest::Approx(1 - 0.1 * 2));
  CHECK(recipe.learning_rate() == 0.1);
}

TEST_CASE("weight decay follows the factor of the group, and what has no gradient stays") {
  auto decays = torch::full({1}, 1.0, torch::requires_grad());
  auto stays = torch::full({1}, 1.0, torch::requires_grad());
  auto unused = torch::full({1}, 1.0, torch::requires_grad());
  const RmsProp recipe({.learning_rate = 0.1, .alpha = 0, .momentum = 0, .weight_decay = 2}, {});
  const auto optimizer = recipe.build({{{decays, unused}, 1}, {{stays}, 0}});
  decays.mutable_grad() = torch::zeros({1});
  stays.mutable_grad() = torch::zeros({1});
  optimizer->step();
  CHECK(decays.item<double>() == doctest::Approx(0.9));  // the gradient is 2 and is divided by 2
  CHECK(stays.item<double>() == 1);
  CHECK(unused.item<double>() == 1);
}
