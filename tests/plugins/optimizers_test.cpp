#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "adam.h"
#include "sgd.h"

using namespace kindred;
using namespace kindred::optimizers;

namespace {

torch::Tensor weight(double value) {
  return torch::full({1}, value, torch::kFloat64).set_requires_grad(true);
}

/// The weight after steps with the given gradients.
double after(const Optimizer& recipe, double start, const std::vector<double>& gradients) {
  auto w = weight(start);
  const auto optimizer = recipe.build({{{w}}});
  for (const double gradient : gradients) {
    w.mutable_grad() = torch::full({1}, gradient, torch::kFloat64);
    optimizer->step();
  }
  return w.item<double>();
}

template <class Component>
std::string parse_error(const std::string& key, Value value) {
  Table table;
  table.set(key, std::move(value));
  Diagnostics diagnostics;
  (void)Component::schema().parse(Value(std::move(table)), "optimizer", diagnostics);
  return diagnostics.empty() ? "" : diagnostics.all().front().message;
}

/// Three steps of a small regression in two groups with rates of their own.
struct Problem {
  explicit Problem(const Optimizer& recipe) {
    torch::manual_seed(1);
    a = torch::randn({4, 3}).set_requires_grad(true);
    b = torch::randn({3}).set_requires_grad(true);
    x = torch::randn({8, 4});
    optimizer = recipe.build({{{a}}, {{b}}});
    const double rate = recipe.learning_rate();
    optimizer->param_groups()[0].options().set_lr(rate);
    optimizer->param_groups()[1].options().set_lr(10 * rate);
  }
  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      optimizer->zero_grad();
      (torch::mm(x, a) + b).pow(2).mean().backward();
      optimizer->step();
    }
  }
  torch::Tensor a, b, x;
  std::unique_ptr<torch::optim::Optimizer> optimizer;
};

void check_that_saving_changes_nothing(const Optimizer& recipe) {
  Problem whole(recipe);
  whole.run(6);

  Problem first(recipe);
  first.run(3);
  std::stringstream file;
  torch::save(*first.optimizer, file);
  Problem second(recipe);
  {
    const torch::NoGradGuard guard;
    second.a.copy_(first.a);
    second.b.copy_(first.b);
  }
  torch::load(*second.optimizer, file);
  second.optimizer->param_groups()[0].options().set_lr(recipe.learning_rate());
  second.optimizer->param_groups()[1].options().set_lr(10 * recipe.learning_rate());
  second.run(3);
  CHECK(torch::equal(second.a, whole.a));
  CHECK(torch::equal(second.b, whole.b));

  // The state matters: a fresh optimizer goes on elsewhere.
  Problem forgetful(recipe);
  {
    const torch::NoGradGuard guard;
    forgetful.a.copy_(first.a);
    forgetful.b.copy_(first.b);
  }
  forgetful.run(3);
  CHECK_FALSE(torch::equal(forgetful.a, whole.a));
}

}  // namespace

TEST_CASE("SGD's defaults are the reference's, and two steps with momentum are those worked out by hand") {
  const Sgd sgd({}, {});
  CHECK(sgd.learning_rate() == 5e-3);
  // g1 = 0.5 + 5e-4 * 2 = 0.501, v1 = 0.501, w1 = 2 - 0.005 * 0.501 = 1.997495
  CHECK(after(sgd, 2, {0.5}) == doctest::Approx(1.997495).epsilon(1e-14));
  // g2 = -0.25 + 5e-4 * 1.997495 = -0.2490012525, v2 = 0.9 * 0.501 + g2 = 0.2018987475
  CHECK(after(sgd, 2, {0.5, -0.25}) == doctest::Approx(1.9964855062625).epsilon(1e-14));
}

TEST_CASE("SGD's parameters each have their effect") {
  Sgd::Params params;
  params.learning_rate = 0.1;
  params.momentum = 0.5;
  params.weight_decay = 0;
  params.dampening = 0.5;
  // v1 = 1 (the first gradient is not dampened), v2 = 0.5 * 1 + 0.5 * 1 = 1
  CHECK(after(Sgd(params, {}), 1, {1, 1}) == doctest::Approx(0.8).epsilon(1e-14));
  params.dampening = 0;
  // v2 = 1.5
  CHECK(after(Sgd(params, {}), 1, {1, 1}) == doctest::Approx(0.75).epsilon(1e-14));
  params.nesterov = true;
  // steps 1 + 0.5 * 1 and 1 + 0.5 * 1.5
  CHECK(after(Sgd(params, {}), 1, {1, 1}) == doctest::Approx(0.675).epsilon(1e-14));
  params.nesterov = false;
  params.momentum = 0;
  params.weight_decay = 0.5;
  // 1 - 0.1 * (1 + 0.5)
  CHECK(after(Sgd(params, {}), 1, {1}) == doctest::Approx(0.85).epsilon(1e-14));
}

TEST_CASE("Adam's defaults are the strong baseline's, and two steps are those worked out by hand") {
  const Adam adam({}, {});
  CHECK(adam.learning_rate() == 3.5e-4);
  // One step moves by the learning rate whatever the gradient: 2 - 3.5e-4 * 0.501 / (0.501 + 1e-8)
  CHECK(after(adam, 2, {0.5}) == doctest::Approx(2 - 3.5e-4 * 0.501 / (0.501 + 1e-8)).epsilon(1e-14));

  Adam::Params params;
  params.learning_rate = 0.1;
  params.betas = {0.5, 0.75};
  params.weight_decay = 0;
  params.eps = 0.5;
  // Step 1: m = 1, v = 1 after correction; w = 1 - 0.1 / 1.5.
  // Step 2, g = 3: m = (0.25 + 1.5) / 0.75 = 7/3, v = (0.1875 + 2.25) / 0.4375 = 39/7.
  const double second = 1 - 0.1 / 1.5 - 0.1 * (7.0 / 3) / (std::sqrt(39.0 / 7) + 0.5);
  CHECK(after(Adam(params, {}), 1, {1, 3}) == doctest::Approx(second).epsilon(1e-14));
  params.weight_decay = 2;  // into the gradient: 1 + 2 * 1 = 3
  CHECK(after(Adam(params, {}), 1, {1}) == doctest::Approx(1 - 0.1 * 3 / 3.5).epsilon(1e-14));
}

TEST_CASE("AdamW shrinks the weight apart from the gradient's step") {
  CHECK(AdamW({}, {}).learning_rate() == 3.5e-4);
  AdamW::Params params;
  params.learning_rate = 0.1;
  params.betas = {0.5, 0.75};
  params.weight_decay = 2;
  params.eps = 0.5;
  const double first = 1 * (1 - 0.1 * 2) - 0.1 / 1.5;
  CHECK(after(AdamW(params, {}), 1, {1}) == doctest::Approx(first).epsilon(1e-14));
  const double second = first * 0.8 - 0.1 * (7.0 / 3) / (std::sqrt(39.0 / 7) + 0.5);
  CHECK(after(AdamW(params, {}), 1, {1, 3}) == doctest::Approx(second).epsilon(1e-14));
}

TEST_CASE("AMSGrad divides by the largest mean square so far, for Adam and AdamW") {
  const auto check = [](auto params, auto make) {
    params.learning_rate = 0.1;
    params.betas = {0.5, 0.75};
    params.weight_decay = 0;
    params.eps = 0.5;
    params.amsgrad = true;
    // Gradients 4, 0: m = 4 then 1 / 0.75; v = 4 then 3, so that the largest stays 4, corrected by 0.4375.
    const double expected = 1 - 0.1 * 4 / 4.5 - 0.1 * (1 / 0.75) / (std::sqrt(4 / 0.4375) + 0.5);
    CHECK(after(make(params), 1, {4, 0}) == doctest::Approx(expected).epsilon(1e-14));
    params.amsgrad = false;
    CHECK(after(make(params), 1, {4, 0}) < expected);
  };
  check(Adam::Params{}, [](const Adam::Params& params) { return Adam(params, {}); });
  check(AdamW::Params{}, [](const AdamW::Params& params) { return AdamW(params, {}); });
}

TEST_CASE("an optimizer saved and loaded goes on bit for bit") {
  check_that_saving_changes_nothing(Sgd({}, {}));
  check_that_saving_changes_nothing(Adam({}, {}));
  check_that_saving_changes_nothing(AdamW({}, {}));
  Adam::Params params;
  params.amsgrad = true;
  check_that_saving_changes_nothing(Adam(params, {}));
}

TEST_CASE("each group has a learning rate of its own that can be set from outside") {
  Sgd::Params params;
  params.learning_rate = 1;
  params.momentum = 0;
  params.weight_decay = 0;
  auto slow = weight(1);
  auto fast = weight(1);
  auto idle = weight(1);
  const auto optimizer = Sgd(params, {}).build({{{slow}}, {{fast, idle}}, {}});
  REQUIRE(optimizer->param_groups().size() == 3);
  CHECK(optimizer->param_groups()[1].params().size() == 2);
  CHECK(optimizer->param_groups()[0].options().get_lr() == 1);
  optimizer->param_groups()[0].options().set_lr(0.25);
  optimizer->param_groups()[1].options().set_lr(0.5);
  slow.mutable_grad() = torch::ones({1}, torch::kFloat64);
  fast.mutable_grad() = torch::ones({1}, torch::kFloat64);
  optimizer->step();
  CHECK(slow.item<double>() == 0.75);
  CHECK(fast.item<double>() == 0.5);
  CHECK(idle.item<double>() == 1);  // no gradient
}

TEST_CASE("each group multiplies the weight decay by its own factor, whatever the optimizer") {
  const auto check = [](auto params, auto make) {
    params.learning_rate = 0.1;
    params.weight_decay = 0.5;
    auto none = weight(1);
    auto plain = weight(1);
    auto twice = weight(1);
    const auto optimizer = make(params)->build({{{none}, 0}, {{plain}}, {{twice}, 2}});
    for (const auto& w : {none, plain, twice}) w.mutable_grad() = torch::zeros({1}, torch::kFloat64);
    optimizer->step();
    return std::vector<double>{none.item<double>(), plain.item<double>(), twice.item<double>()};
  };
  const auto sgd =
      check(Sgd::Params{}, [](const auto& params) { return std::make_unique<Sgd>(params, Sgd::Context{}); });
  CHECK(sgd[0] == 1);
  CHECK(sgd[1] == doctest::Approx(1 - 0.1 * 0.5).epsilon(1e-14));
  CHECK(sgd[2] == doctest::Approx(1 - 0.1 * 1.0).epsilon(1e-14));
  const auto adamw = check(
      AdamW::Params{}, [](const auto& params) { return std::make_unique<AdamW>(params, AdamW::Context{}); });
  CHECK(adamw[0] == 1);
  CHECK(adamw[1] == doctest::Approx(1 - 0.1 * 0.5).epsilon(1e-14));
  CHECK(adamw[2] == doctest::Approx(1 - 0.1 * 1.0).epsilon(1e-14));
  // Adam divides what decay adds to the gradient by its own size: a step of the learning rate, or none.
  const auto adam = check(Adam::Params{},
                          [](const auto& params) { return std::make_unique<Adam>(params, Adam::Context{}); });
  CHECK(adam[0] == 1);
  CHECK(adam[1] == doctest::Approx(1 - 0.1 * 0.5 / (0.5 + 1e-8)).epsilon(1e-14));
  CHECK(adam[2] == doctest::Approx(1 - 0.1 * 1.0 / (1.0 + 1e-8)).epsilon(1e-14));
}

TEST_CASE("parameters that cannot work are refused before training") {
  CHECK(parse_error<Sgd>("nesterov", Value(true)).empty());
  CHECK(parse_error<Sgd>("learning_rate", Value(0.0)).find("learning_rate") != std::string::npos);
  CHECK_FALSE(parse_error<Adam>("betas", Value(Array{Value(0.9)})).empty());
  CHECK(parse_error<Adam>("betas", Value(Array{Value(0.9), Value(1.0)})).find("must be below 1") !=
        std::string::npos);
  CHECK_FALSE(parse_error<AdamW>("eps", Value(0.0)).empty());
  Table table;
  table.set("nesterov", Value(true));
  table.set("momentum", Value(0.0));
  Diagnostics diagnostics;
  (void)Sgd::schema().parse(Value(std::move(table)), "optimizer 'sgd'", diagnostics);
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].message ==
        "optimizer 'sgd': nesterov = true needs momentum above 0 and dampening = 0");
}

namespace {

/// Six steps of three weights, the last three at a tenth of the learning rate, as the values below were made.
std::vector<double> after_six_steps(const Optimizer& recipe) {
  auto w = torch::tensor({1.0, -2.0, 0.5}, torch::kFloat64).set_requires_grad(true);
  const auto optimizer = recipe.build({{{w}}});
  for (int step = 0; step < 6; ++step) {
    optimizer->param_groups()[0].options().set_lr(recipe.learning_rate() * (step < 3 ? 1.0 : 0.1));
    w.mutable_grad() =
        torch::tensor({0.3 * (step + 1) - 1, 0.1 * step, step % 2 == 0 ? 1.0 : -1.0}, torch::kFloat64);
    optimizer->step();
  }
  const auto values = w.detach().contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + 3};
}

void check_weights(const std::vector<double>& found, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("six steps under a falling rate end where those of PyTorch 2.13 end") {
  check_weights(after_six_steps(AdamW(
                    {.learning_rate = 1e-2, .betas = {0.9, 0.98}, .eps = 1e-6, .weight_decay = 0.05}, {})),
                {1.0263256945526078, -2.0149890293022152, 0.4862563968662871});
  check_weights(after_six_steps(
                    Sgd({.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 1e-2, .nesterov = true}, {})),
                {1.344372679164862, -2.083170660435853, 0.23963356304186817});
  // TransReID's.
  check_weights(after_six_steps(Sgd({.learning_rate = 0.008, .momentum = 0.9, .weight_decay = 1e-4}, {})),
                {1.0222207835198358, -2.005333314502752, 0.48518970246360227});
  // CLIP-ReID's.
  check_weights(after_six_steps(Adam({.learning_rate = 3.5e-4, .weight_decay = 1e-4}, {})),
                {1.0009766889131624, -2.000294234823841, 0.4995473848655492});
}

namespace {

/// Weights of several sizes, one with its channels last, one that gets no gradient until the third step, and
/// one of 64 bits.
struct ManyWeights {
  explicit ManyWeights(double shift = 0) {
    torch::manual_seed(7);
    weights = {torch::randn({300, 257}) + shift,
               torch::randn({16, 8, 3, 3}).contiguous(torch::MemoryFormat::ChannelsLast),
               torch::randn({1}),
               torch::randn({70000}),
               torch::randn({5}),
               torch::randn({6, 7}, torch::kFloat64),
               torch::randn({8, 16}).t()};
    for (auto& w : weights) w.requires_grad_();
  }
  /// The gradients are those of the formula, whatever the weights.
  void set_gradients(int step) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      auto& gradient = weights[i].mutable_grad();
      gradient.reset();
      if (i == 4 && step < 2) continue;
      torch::manual_seed(100 * step + static_cast<int>(i));
      gradient = torch::randn(weights[i].sizes(), weights[i].scalar_type());
    }
  }
  [[nodiscard]] std::vector<torch::optim::OptimizerParamGroup> groups(
      const torch::optim::OptimizerOptions& options) const {
    std::vector<torch::optim::OptimizerParamGroup> made;
    made.emplace_back(std::vector<torch::Tensor>(weights.begin(), weights.begin() + 3), options.clone());
    made.emplace_back(std::vector<torch::Tensor>(weights.begin() + 3, weights.end()), options.clone());
    return made;
  }
  std::vector<torch::Tensor> weights;
};

void check_steps(const Optimizer& recipe,
                 const std::function<std::unique_ptr<torch::optim::Optimizer>(
                     std::vector<torch::optim::OptimizerParamGroup>)>& reference,
                 const torch::optim::OptimizerOptions& options) {
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  ManyWeights own;
  ManyWeights theirs;
  const auto found = recipe.build(
      {{{own.weights.begin(), own.weights.begin() + 3}}, {{own.weights.begin() + 3, own.weights.end()}}});
  const auto expected = reference(theirs.groups(options));
  for (int step = 0; step < 6; ++step) {
    for (const auto& optimizer : {found.get(), expected.get()}) {
      for (auto& group : optimizer->param_groups())
        group.options().set_lr(recipe.learning_rate() / (step + 1));
    }
    own.set_gradients(step);
    theirs.set_gradients(step);
    found->step();
    expected->step();
  }
  for (std::size_t i = 0; i < own.weights.size(); ++i) {
    CAPTURE(i);
    CHECK((own.weights[i] - theirs.weights[i]).abs().max().item<double>() < 1e-6);
  }
  CHECK((own.weights[0] - ManyWeights().weights[0]).abs().mean().item<double>() > 1e-4);
  at::set_num_threads(before);

  // LibTorch's own optimizer reads the state and goes on alike.
  std::stringstream file;
  torch::save(*found, file);
  auto next = reference(own.groups(options));
  torch::load(*next, file);
  ManyWeights copies;
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < copies.weights.size(); ++i) copies.weights[i].copy_(own.weights[i]);
  for (const auto& optimizer : {found.get(), next.get()}) {
    for (std::size_t i = 0; i < copies.weights.size(); ++i) own.weights[i].copy_(copies.weights[i]);
    for (auto& group : optimizer->param_groups()) group.options().set_lr(recipe.learning_rate());
    own.set_gradients(7);
    optimizer->step();
    for (std::size_t i = 0; i < theirs.weights.size(); ++i) {
      if (optimizer == found.get()) theirs.weights[i].copy_(own.weights[i]);
      CHECK((own.weights[i] - theirs.weights[i]).abs().max().item<double>() < 1e-6);
    }
  }
}

}  // namespace

TEST_CASE("steps for all weights at once are LibTorch's steps weight by weight") {
  const auto check_sgd = [](const Sgd::Params& p) {
    const auto options = torch::optim::SGDOptions(p.learning_rate)
                             .momentum(p.momentum)
                             .dampening(p.dampening)
                             .weight_decay(p.weight_decay)
                             .nesterov(p.nesterov);
    check_steps(
        Sgd(p, {}),
        [&](auto groups) { return std::make_unique<torch::optim::SGD>(std::move(groups), options); },
        options);
  };
  check_sgd({.learning_rate = 0.05});
  check_sgd({.learning_rate = 0.05, .momentum = 0});
  check_sgd({.learning_rate = 0.05, .dampening = 0.5, .weight_decay = 0.01});
  check_sgd({.learning_rate = 0.05, .nesterov = true});
  const auto with = [](auto options, const auto& p) {
    return options.betas(std::tuple(p.betas[0], p.betas[1]))
        .eps(p.eps)
        .weight_decay(p.weight_decay)
        .amsgrad(p.amsgrad);
  };
  for (const bool amsgrad : {false, true}) {
    const Adam::Params p{.learning_rate = 1e-2, .weight_decay = 0.01, .amsgrad = amsgrad};
    const auto adam = with(torch::optim::AdamOptions(p.learning_rate), p);
    check_steps(
        Adam(p, {}),
        [&](auto groups) { return std::make_unique<torch::optim::Adam>(std::move(groups), adam); }, adam);
    const AdamW::Params w{.learning_rate = 1e-2, .weight_decay = 0.1, .amsgrad = amsgrad};
    const auto adamw = with(torch::optim::AdamWOptions(w.learning_rate), w);
    check_steps(
        AdamW(w, {}),
        [&](auto groups) { return std::make_unique<torch::optim::AdamW>(std::move(groups), adamw); }, adamw);
  }
}
