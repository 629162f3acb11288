#include "training/weight_average.h"

#include <doctest/doctest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <cstdint>

using namespace kindred;
using namespace kindred::training;

namespace {

/// A weight, a statistic and a counter.
struct Numbers : torch::nn::Module {
  Numbers()
      : weight(register_parameter("weight", torch::full({1}, 1.0))),
        statistic(register_buffer("statistic", torch::full({1}, 10.0))),
        counter(register_buffer("counter", torch::zeros({}, torch::kInt64))) {}
  void set(double value) {
    const torch::NoGradGuard no_grad;
    weight.fill_(value);
    statistic.fill_(10 * value);
    counter.add_(1);
  }
  torch::Tensor weight, statistic, counter;
};

}  // namespace

TEST_CASE("averages move by the decay, less in the first steps; statistics as weights, counters copied") {
  Numbers module;
  WeightAverage average(module, 0.3);
  double expected = 1;
  for (int step = 0; step < 8; ++step) {
    const double value = 2 + step * step;
    module.set(value);
    average.update();
    // 1/10, 2/11, 3/12, then 0.3
    const double decay = std::min(0.3, (1.0 + step) / (10.0 + step));
    expected = decay * expected + (1 - decay) * value;
    const WeightAverage::InPlace averaged(average);
    CHECK(module.weight.item<float>() == doctest::Approx(expected).epsilon(1e-6));
    CHECK(module.statistic.item<float>() == doctest::Approx(10 * expected).epsilon(1e-6));
    CHECK(module.counter.item<std::int64_t>() == step + 1);
  }
  CHECK(average.steps() == 8);
  // In the end the decay is the one asked for: 1 - 0.3 of the way.
  module.set(expected + 1);
  average.update();
  const WeightAverage::InPlace averaged(average);
  CHECK(module.weight.item<float>() == doctest::Approx(expected + 0.7).epsilon(1e-6));
}

TEST_CASE(
    "a module holds its averages for a scope, and its own weights, gradients and formats again after it") {
  torch::nn::Conv2d module(torch::nn::Conv2dOptions(3, 4, 3));
  auto& weight = module->weight;
  weight.set_data(weight.contiguous(torch::MemoryFormat::ChannelsLast));
  WeightAverage average(*module, 0.5);
  const auto first = weight.detach().clone();
  {
    const torch::NoGradGuard no_grad;
    weight.add_(1);
  }
  module(torch::ones({1, 3, 4, 4})).sum().backward();
  const auto own = weight.detach().clone();
  const auto* address = weight.data_ptr();
  {
    const WeightAverage::InPlace averaged(average);
    CHECK(torch::equal(weight, first));
    CHECK(weight.is_contiguous(torch::MemoryFormat::ChannelsLast));
    // What is written now, as when a checkpoint is read, goes into the averages.
    const torch::NoGradGuard no_grad;
    weight.mul_(2);
  }
  CHECK(torch::equal(weight, own));
  CHECK(weight.data_ptr() == address);
  CHECK(weight.grad().defined());
  const WeightAverage::InPlace averaged(average);
  CHECK(torch::equal(weight, 2 * first));
}
