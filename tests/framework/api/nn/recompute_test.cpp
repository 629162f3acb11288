#include "kindred/nn/recompute.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "kindred/nn/transformer_block.h"
#include "system/precision.h"

using namespace kindred;

namespace {

// Two blocks that drop paths by the stream, with dropout by LibTorch's generator between them.
struct RecomputedNet {
  std::shared_ptr<RandomStream> random = std::make_shared<RandomStream>(5);
  std::vector<std::shared_ptr<TransformerBlock>> blocks;

  RecomputedNet() {
    torch::manual_seed(1);
    for (int i = 0; i < 2; ++i) {
      blocks.push_back(std::make_shared<TransformerBlock>(TransformerBlockOptions{
          .channels = 16, .heads = 2, .hidden = 32, .layer_scale = 0.5, .drop_path = 0.5, .random = random}));
    }
    torch::manual_seed(2);
  }
  torch::Tensor forward(const torch::Tensor& input, bool recompute) const {
    const auto part = [first = blocks[0], second = blocks[1]](const torch::Tensor& x) {
      return second->forward(torch::dropout(first->forward(x), 0.3, /*train=*/true));
    };
    return recompute ? recomputed(part, input, random) : part(input);
  }
};

struct RecomputeStep {
  torch::Tensor output;
  std::vector<torch::Tensor> gradients;
  std::uint64_t next_number;
  torch::Tensor next_values;
};

RecomputeStep step_of(bool recompute, bool input_needs_gradient, system::Precision precision) {
  const RecomputedNet net;
  auto input = torch::sin(torch::arange(6 * 5 * 16, torch::kFloat32)).view({6, 5, 16});
  input.set_requires_grad(input_needs_gradient);
  RecomputeStep step;
  torch::Tensor loss;
  {
    const system::Autocast autocast({torch::kCPU, precision});
    step.output = net.forward(net.forward(input, recompute), recompute);  // the gradients of both add up
    loss = step.output.to(torch::kFloat32).square().sum();
  }
  loss.backward();
  if (input_needs_gradient) step.gradients.push_back(input.grad());
  for (const auto& block : net.blocks) {
    for (const auto& parameter : block->parameters()) step.gradients.push_back(parameter.grad());
  }
  step.next_number = (*net.random)();
  step.next_values = torch::rand({3});
  return step;
}

}  // namespace

TEST_CASE(
    "what is recomputed has the same result, the same gradients and the same random numbers, to the bit") {
  for (const auto precision : {system::Precision::fp32, system::Precision::bf16}) {
    for (const bool input_needs_gradient : {true, false}) {
      CAPTURE(static_cast<int>(precision));
      CAPTURE(input_needs_gradient);
      const auto plain = step_of(false, input_needs_gradient, precision);
      const auto again = step_of(true, input_needs_gradient, precision);
      CHECK(torch::equal(plain.output, again.output));
      REQUIRE(plain.gradients.size() == again.gradients.size());
      CHECK(plain.gradients.size() == (input_needs_gradient ? 29 : 28));
      for (std::size_t i = 0; i < plain.gradients.size(); ++i) {
        CAPTURE(i);
        REQUIRE(again.gradients[i].defined());
        CHECK(plain.gradients[i].abs().sum().item<double>() > 0);
        if (precision == system::Precision::fp32) {
          CHECK(torch::equal(plain.gradients[i], again.gradients[i]));
        } else {
          // Each parameter is used twice: without recomputation autocast adds up in 16 bits.
          CHECK(torch::allclose(plain.gradients[i], again.gradients[i], 0.05, 0.02));
        }
      }
      CHECK(plain.next_number == again.next_number);
      CHECK(torch::equal(plain.next_values, again.next_values));
    }
  }
}

TEST_CASE("in 16 bits, too, the gradients of parameters that are used once are the same to the bit") {
  std::vector<std::vector<torch::Tensor>> gradients;
  for (const bool recompute : {false, true}) {
    const RecomputedNet net;
    torch::Tensor loss;
    {
      const system::Autocast autocast({torch::kCPU, system::Precision::bf16});
      loss = net.forward(torch::linspace(-1, 1, 4 * 3 * 16).view({4, 3, 16}), recompute).square().sum();
    }
    loss.backward();
    auto& found = gradients.emplace_back();
    for (const auto& block : net.blocks) {
      for (const auto& parameter : block->parameters()) found.push_back(parameter.grad());
    }
  }
  for (std::size_t i = 0; i < gradients[0].size(); ++i) CHECK(torch::equal(gradients[0][i], gradients[1][i]));
}

TEST_CASE("a weight that autocast converted in a recomputed part has its gradient of other parts, too") {
  const auto weight = torch::ones({2, 2}, torch::requires_grad());
  torch::Tensor loss;
  {
    const system::Autocast autocast({torch::kCPU, system::Precision::bf16});
    const auto part = [weight](const torch::Tensor& x) { return torch::matmul(x, weight); };
    const auto first = recomputed(part, torch::ones({1, 2}));
    const auto second = torch::matmul(torch::ones({1, 2}), weight);
    CHECK(second.requires_grad());
    loss = (first + 10 * second).sum();
  }
  loss.backward();
  CHECK(torch::equal(weight.grad(), torch::full({2, 2}, 11.0F)));
}

TEST_CASE("a part runs again in the backward pass, and only once where no gradient is recorded") {
  const auto runs = std::make_shared<int>(0);
  const auto weight = torch::ones({3}, torch::requires_grad());
  const auto part = [runs, weight](const torch::Tensor& x) {
    ++*runs;
    return x * weight;
  };
  const auto output = recomputed(part, torch::ones({3}));
  CHECK(*runs == 1);
  output.sum().backward();
  CHECK(*runs == 2);
  CHECK(torch::equal(weight.grad(), torch::ones({3})));
  const torch::NoGradGuard no_grad;
  CHECK_FALSE(recomputed(part, torch::ones({3})).requires_grad());
  CHECK(*runs == 3);
}

TEST_CASE("a part has gradients where its input or one of its module's parameters needs one") {
  const torch::nn::Linear linear(3, 2);
  const auto input = torch::ones({1, 3});
  CHECK(needs_gradients(*linear, input));
  linear->weight.set_requires_grad(false);
  CHECK(needs_gradients(*linear, input));
  linear->bias.set_requires_grad(false);
  CHECK_FALSE(needs_gradients(*linear, input));
  CHECK(needs_gradients(*linear, torch::ones({1, 3}, torch::requires_grad())));
}

TEST_CASE("the gradient of a recomputed part comes with backward() alone") {
  const auto weight = torch::ones({3}, torch::requires_grad());
  const auto input = torch::ones({3}, torch::requires_grad());
  const auto output = recomputed([weight](const torch::Tensor& x) { return x * weight; }, input).sum();
  CHECK_THROWS_WITH_AS(static_cast<void>(torch::autograd::grad({output}, {input})),
                       doctest::Contains("backward() alone"), std::logic_error);
}

TEST_CASE("an error while a part is computed again leaves random numbers and autocast as they were") {
  const auto random = std::make_shared<RandomStream>(5);
  const auto runs = std::make_shared<int>(0);
  const auto weight = torch::ones({3}, torch::requires_grad());
  const auto output = recomputed(
      [=](const torch::Tensor& x) {
        (void)(*random)();
        if (++*runs == 2) throw std::runtime_error("the second time");
        return x * weight;
      },
      torch::ones({3}), random);
  auto expected = *random;
  CHECK_THROWS_WITH(output.sum().backward(), doctest::Contains("the second time"));
  CHECK((*random)() == expected());
}
