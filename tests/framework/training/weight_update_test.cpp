#include "training/weight_update.h"

#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/optim/sgd.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "temporary_folder.h"
#include "training/gradients.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

torch::Tensor weight(std::vector<float> values) {
  return torch::tensor(values).set_requires_grad(true);
}

std::unique_ptr<torch::optim::Optimizer> descent(std::vector<torch::Tensor> parameters, double momentum = 0) {
  return std::make_unique<torch::optim::SGD>(std::move(parameters),
                                             torch::optim::SGDOptions(0.5).momentum(momentum));
}

/// Two weights of the model, one center of a loss with an optimizer of its own, and a term of weight 0.25.
struct Problem {
  explicit Problem(const WeightUpdate::Options& options)
      : update(descent({a, b}, 0.9), one_own(descent({center}, 0.9)), options) {}
  static std::vector<OwnOptimizer> one_own(std::unique_ptr<torch::optim::Optimizer> optimizer) {
    std::vector<OwnOptimizer> own;
    own.push_back({std::move(optimizer), 0.25});
    return own;
  }
  [[nodiscard]] torch::Tensor loss() const {
    return (a * a).sum() * 0.1 + (b - 1).pow(2).sum() * 0.3 + 0.25 * (center - a).pow(2).sum();
  }
  bool step() {
    update.backward(loss());
    return update.step();
  }
  torch::Tensor a = weight({1.F, -2.F, 0.3F});
  torch::Tensor b = weight({0.7F});
  torch::Tensor center = weight({0.1F, 0.2F, 0.3F});
  WeightUpdate update;
};

bool same(const Problem& one, const Problem& other) {
  return torch::equal(one.a, other.a) && torch::equal(one.b, other.b) &&
         torch::equal(one.center, other.center);
}

}  // namespace

TEST_CASE("the norm of gradients is over all their elements, and not a number where one of them is none") {
  const auto x = torch::tensor({3.F, 0.F});
  const auto y = torch::tensor({{0.F}, {4.F}});
  CHECK(gradient_norm({x, y}).item<float>() == 5);
  CHECK(gradient_norm({}).item<float>() == 0);
  CHECK(std::isnan(gradient_norm({x, torch::tensor({std::nanf("")})}).item<float>()));
  CHECK(std::isinf(gradient_norm({x, torch::tensor({-inf})}).item<float>()));
}

TEST_CASE("gradients that are too long are scaled to the limit, shorter ones stay bit by bit") {
  const auto x = torch::tensor({3.F, 0.F});
  const auto y = torch::tensor({4.F});
  clip_gradients({x, y}, gradient_norm({x, y}), 1);
  CHECK(torch::allclose(x, torch::tensor({0.6F, 0.F})));
  CHECK(torch::allclose(y, torch::tensor({0.8F})));
  const auto before = x.clone();
  clip_gradients({x, y}, gradient_norm({x, y}), 1.001);
  CHECK(torch::equal(x, before));
  const auto zero = torch::zeros({2});
  clip_gradients({zero}, gradient_norm({zero}), 1);
  CHECK(torch::equal(zero, torch::zeros({2})));
}

TEST_CASE("a loss's own parameters may have sparse gradients, with a scaled loss and without") {
  for (const bool scale_loss : {false, true}) {
    CAPTURE(scale_loss);
    const auto centers_after_steps = [&](bool sparse) {
      auto a = weight({1.F, -2.F});
      auto centers = torch::tensor({{0.5F, 1.F}, {-1.F, 0.F}, {3.F, 2.F}}).set_requires_grad(true);
      WeightUpdate update(descent({a}), Problem::one_own(descent({centers})), {0, scale_loss});
      for (int step = 0; step < 3; ++step) {
        const auto rows = torch::embedding(centers, torch::tensor({2L, 0L, 2L}), -1, false, sparse);
        update.backward(0.25 * (rows - a).square().sum());
        CHECK(centers.grad().is_sparse() == sparse);
        CHECK(update.step());
      }
      return centers.detach().clone();
    };
    CHECK(torch::allclose(centers_after_steps(true), centers_after_steps(false)));
  }
}

TEST_CASE("a row of a sparse gradient that is not a number is found in a scaled loss's gradient") {
  auto a = weight({1.F});
  auto centers = torch::tensor({{0.5F}, {1.F}}).set_requires_grad(true);
  WeightUpdate update(descent({a}), Problem::one_own(descent({centers})), {0, true});
  const auto rows = torch::embedding(centers, torch::tensor({1L}), -1, false, true);
  update.backward((rows * inf).sum() + a.sum());
  CHECK_FALSE(update.step());
  CHECK(torch::equal(centers.detach(), torch::tensor({{0.5F}, {1.F}})));
}

TEST_CASE("a clipped step is as long as the limit allows, and a loss's own optimizer is not clipped") {
  auto a = weight({0.F, 0.F});
  auto center = weight({0.F});
  WeightUpdate update(descent({a}), Problem::one_own(descent({center})), {2, false});
  // Gradient of a: (3, 4), norm 5; of the center: 7, divided by the term's weight, 28.
  update.backward((a * torch::tensor({3.F, 4.F})).sum() + 7 * center.sum());
  CHECK(update.gradient_norm().item<float>() == 5);
  CHECK(update.step());
  CHECK(torch::allclose(a, -0.5 * torch::tensor({1.2F, 1.6F})));
  CHECK(center.item<float>() == -14);
  WeightUpdate free(descent({a}), {}, {});
  free.backward(a.sum());
  CHECK_FALSE(free.gradient_norm().defined());
}

TEST_CASE("steps with a scaled loss are bit for bit those without, clipped or not") {
  for (const double clip : {0.0, 0.4}) {
    CAPTURE(clip);
    Problem plain({clip, false});
    Problem scaled({clip, true});
    for (int i = 0; i < 5; ++i) {
      CHECK(plain.step());
      CHECK(scaled.step());
    }
    CHECK(same(plain, scaled));
    CHECK(scaled.update.loss_scale() == 65536);
    CHECK(!plain.update.loss_scale());
  }
}

TEST_CASE("a step whose gradients overflow is left out by all optimizers and halves the scale") {
  Problem problem({0.4, true});
  CHECK(problem.step());
  const auto a = problem.a.detach().clone();
  const auto center = problem.center.detach().clone();
  // Finite, and so is its gradient; times 65536 it is not.
  problem.update.backward(problem.b.sum() * 1e34);
  CHECK(problem.update.gradient_norm().item<float>() == 0);
  CHECK_FALSE(problem.update.step());
  CHECK(torch::equal(problem.a, a));
  CHECK(torch::equal(problem.center, center));
  CHECK(problem.update.loss_scale() == 32768);
  // A gradient of the loss's own parameters alone counts too.
  problem.update.backward(problem.a.sum() + problem.center.sum() * 1e35);
  CHECK_FALSE(problem.update.step());
  CHECK(torch::equal(problem.a, a));
  CHECK(problem.update.loss_scale() == 16384);
  CHECK(problem.step());
  CHECK_FALSE(torch::equal(problem.a, a));
}

TEST_CASE("the scale doubles after 2000 good steps in a row, and its state comes back") {
  LossScaler scaler;
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 65536);
  LossScaler other;
  CHECK(other.restore(scaler.state()));
  other.update(true);
  CHECK(other.scale() == 131072);
  scaler.update(false);
  CHECK(scaler.scale() == 32768);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 32768);
  scaler.update(true);
  CHECK(scaler.scale() == 65536);
  CHECK_FALSE(other.restore(torch::ones(2)));
  CHECK_FALSE(other.restore(torch::ones(3, torch::kFloat64)));
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto infinite = std::numeric_limits<double>::infinity();
  for (const auto& [scale, good_steps] :
       {std::pair(nan, 1.0), std::pair(0.0, 1.0), std::pair(infinite, 1.0), std::pair(65536.0, nan),
        std::pair(65536.0, 1e300), std::pair(65536.0, -1.0)}) {
    CHECK_FALSE(other.restore(torch::tensor({scale, good_steps}, torch::kFloat64)));
  }
  CHECK(other.scale() == 131072);
}

TEST_CASE("gradients that are never finite stop the training instead of leaving out every step") {
  Problem problem({0, true});
  int steps = 0;
  const auto message = message_of<Error>([&] {
    for (; steps < 100; ++steps) {
      problem.update.backward(problem.a.sum() * inf);
      CHECK_FALSE(problem.update.step());
    }
  });
  CHECK(steps == 26);  // 2^16 is halved down to 2^-10
  CHECK(message ==
        "training: error: gradients are not finite at any loss scale: the network computes numbers outside "
        "the range of fp16. "
        "Lower the learning rate, warm up longer, or set train.precision to \"bf16\" or \"fp32\". The last "
        "checkpoint is unchanged");
}

TEST_CASE("an update goes on from its state bit for bit, and refuses another's") {
  Problem whole({0.4, true});
  Problem first({0.4, true});
  for (int i = 0; i < 3; ++i) {
    whole.step();
    first.step();
  }
  whole.update.backward(whole.b.sum() * 1e34);
  first.update.backward(first.b.sum() * 1e34);
  file::TensorFile state;
  first.update.add_state(state);
  Problem second({0.4, true});
  {
    const torch::NoGradGuard no_grad;
    second.a.copy_(first.a);
    second.b.copy_(first.b);
    second.center.copy_(first.center);
  }
  second.update.restore(state, "there.safetensors", torch::kCPU);
  CHECK(second.update.loss_scale() == 32768);
  for (int i = 0; i < 3; ++i) {
    whole.step();
    second.step();
  }
  CHECK(same(whole, second));

  state.tensors.pop_back();
  CHECK(message_of<DataError>([&] { second.update.restore(state, "there.safetensors", torch::kCPU); }) ==
        "there.safetensors: error: is not a checkpoint of this training: it has no 'loss_scale'");
  state.tensors.emplace_back("loss_scale", torch::ones(1));
  CHECK(message_of<DataError>([&] { second.update.restore(state, "there.safetensors", torch::kCPU); }) ==
        "there.safetensors: error: is not a checkpoint of this training: its loss scale is invalid");
}

TEST_CASE(
    "gradients that are found past the loss's own graph are scaled back, measured and clipped with it") {
  const auto run = [](bool in_two) {
    WeightUpdate::Options options;
    options.clip_norm = 0.5;
    options.scale_loss = true;
    auto w = weight({1.F, -2.F, 0.3F});
    WeightUpdate update(descent({w}), {}, options);
    CHECK_FALSE(update.has_gradients());
    const auto output = [&] { return w * torch::tensor({2.F, 0.5F, 1.F}); };
    if (in_two) {
      // The graph ends at a leaf, whose gradient is of the scaled loss.
      const auto end = output().detach().requires_grad_();
      update.backward(end.square().sum(), [&] {
        CHECK(end.grad().abs().max().item<float>() > 1e4F);
        torch::autograd::backward({output()}, {end.grad()});
      });
    } else {
      update.backward(output().square().sum());
    }
    CHECK(update.has_gradients());
    CHECK(update.gradient_norm().item<float>() == doctest::Approx(8.0846F).epsilon(1e-4));
    CHECK(update.step());
    return w.detach().clone();
  };
  CHECK(torch::equal(run(true), run(false)));
}
