#include "adam_steps.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_maximum.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "all_at_once.h"

namespace kindred::optimizers {

/// The numbers of one step of a group, for weights of the same age.
struct AdamNumbers {
  double coupled;  // weight decay added to the gradient
  double kept;     // of the weight, by decoupled weight decay
  double beta1;
  double beta2;
  double size;    // of the step, corrected
  double spread;  // square root of the correction of the mean square
  double eps;
};

// The C library's, without errno: with it the loops below would take one number after the other.
extern "C" [[gnu::const]] float square_root(float value) noexcept __asm__("sqrtf");

// A null `largest`: no AMSGrad.
KINDRED_FOR_EACH_PROCESSOR
void adam_step(float* __restrict weight, const float* __restrict gradient, float* __restrict mean,
               float* __restrict square, float* __restrict largest, std::int64_t count,
               const AdamNumbers& numbers) {
  const auto coupled = static_cast<float>(numbers.coupled);
  const auto kept = static_cast<float>(numbers.kept);
  const auto beta1 = static_cast<float>(numbers.beta1);
  const auto beta2 = static_cast<float>(numbers.beta2);
  const auto rest1 = static_cast<float>(1 - numbers.beta1);
  const auto rest2 = static_cast<float>(1 - numbers.beta2);
  const auto size = static_cast<float>(numbers.size);
  const auto spread = static_cast<float>(1 / numbers.spread);
  const auto eps = static_cast<float>(numbers.eps);
  if (largest == nullptr) {
    for (std::int64_t i = 0; i < count; ++i) {
      const float own = gradient[i] + coupled * weight[i];
      mean[i] = beta1 * mean[i] + rest1 * own;
      square[i] = beta2 * square[i] + rest2 * own * own;
      weight[i] = kept * weight[i] - size * mean[i] / (square_root(square[i]) * spread + eps);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      const float own = gradient[i] + coupled * weight[i];
      mean[i] = beta1 * mean[i] + rest1 * own;
      square[i] = beta2 * square[i] + rest2 * own * own;
      largest[i] = largest[i] < square[i] ? square[i] : largest[i];
      weight[i] = kept * weight[i] - size * mean[i] / (square_root(largest[i]) * spread + eps);
    }
  }
}

namespace {

template <class State>
void step_in_loops(const std::vector<Change<State>>& changes, bool amsgrad, const AdamNumbers& numbers) {
  for_each_share(changes, [&](const Share& share) {
    const auto& change = changes[share.change];
    const auto of = [&](const torch::Tensor& tensor) { return tensor.data_ptr<float>() + share.first; };
    adam_step(of(change.weight), of(change.gradient), of(change.state->exp_avg()),
              of(change.state->exp_avg_sq()), amsgrad ? of(change.state->max_exp_avg_sq()) : nullptr,
              share.count, numbers);
  });
}

template <class State>
void step_in_lists(const std::vector<Change<State>>& changes, bool amsgrad, const AdamNumbers& numbers) {
  if (changes.empty()) return;
  auto weights = list_of(changes, [](const auto& change) { return change.weight; });
  auto gradients = list_of(changes, [](const auto& change) { return change.gradient; });
  auto means = list_of(changes, [](const auto& change) { return change.state->exp_avg(); });
  auto squares = list_of(changes, [](const auto& change) { return change.state->exp_avg_sq(); });
  if (numbers.coupled != 0) gradients = at::_foreach_add(gradients, weights, numbers.coupled);
  if (numbers.kept != 1) at::_foreach_mul_(weights, at::Scalar(numbers.kept));
  at::_foreach_mul_(means, at::Scalar(numbers.beta1));
  at::_foreach_add_(means, gradients, 1 - numbers.beta1);
  at::_foreach_mul_(squares, at::Scalar(numbers.beta2));
  at::_foreach_addcmul_(squares, gradients, gradients, at::Scalar(1 - numbers.beta2));
  if (amsgrad) {
    auto largest = list_of(changes, [](const auto& change) { return change.state->max_exp_avg_sq(); });
    squares = at::_foreach_maximum(largest, squares);
    for (std::size_t i = 0; i < changes.size(); ++i) changes[i].state->max_exp_avg_sq(squares[i]);
  }
  auto divisors = at::_foreach_sqrt(squares);
  at::_foreach_div_(divisors, at::Scalar(numbers.spread));
  at::_foreach_add_(divisors, at::Scalar(numbers.eps));
  at::_foreach_addcdiv_(weights, means, divisors, at::Scalar(-numbers.size));
}

template <class State, class Options, class Groups, class States>
void step_of(const Groups& groups, States& states, bool decoupled) {
  const torch::NoGradGuard no_grad;
  for (const auto& group : groups) {
    const auto& options = static_cast<const Options&>(group.options());
    struct Part {
      std::vector<Change<State>> in_loops;
      std::vector<Change<State>> in_lists;
    };
    // By age, which differs where weights were frozen at first.
    std::map<std::int64_t, Part> parts;
    for (const auto& change : changes_of<State>(group, states)) {
      auto& state = *change.state;
      if (!state.exp_avg().defined()) {
        state.step(0);
        state.exp_avg(torch::zeros_like(change.weight));
        state.exp_avg_sq(torch::zeros_like(change.weight));
        if (options.amsgrad()) state.max_exp_avg_sq(torch::zeros_like(change.weight));
      }
      state.step(state.step() + 1);
      std::vector<torch::Tensor> others{change.gradient, state.exp_avg(), state.exp_avg_sq()};
      if (options.amsgrad()) others.push_back(state.max_exp_avg_sq());
      auto& part = parts[state.step()];
      (side_by_side(change.weight, others) ? part.in_loops : part.in_lists).push_back(change);
    }
    const auto [beta1, beta2] = options.betas();
    for (const auto& [age, part] : parts) {
      const auto steps = static_cast<double>(age);
      const AdamNumbers numbers{decoupled ? 0 : options.weight_decay(),
                                decoupled ? 1 - options.lr() * options.weight_decay() : 1,
                                beta1,
                                beta2,
                                options.lr() / (1 - std::pow(beta1, steps)),
                                std::sqrt(1 - std::pow(beta2, steps)),
                                options.eps()};
      step_in_loops(part.in_loops, options.amsgrad(), numbers);
      step_in_lists(part.in_lists, options.amsgrad(), numbers);
    }
  }
}

torch::Tensor loss_of(const torch::optim::Optimizer::LossClosure& closure) {
  if (closure == nullptr) return {};
  const at::AutoGradMode gradients(true);
  return closure();
}

}  // namespace

torch::Tensor AdamSteps::step(LossClosure closure) {
  if (has_sparse_gradients(*this)) return torch::optim::Adam::step(std::move(closure));
  auto loss = loss_of(closure);
  step_of<torch::optim::AdamParamState, torch::optim::AdamOptions>(param_groups(), state(), false);
  return loss;
}

torch::Tensor AdamWSteps::step(LossClosure closure) {
  if (has_sparse_gradients(*this)) return torch::optim::AdamW::step(std::move(closure));
  auto loss = loss_of(closure);
  step_of<torch::optim::AdamWParamState, torch::optim::AdamWOptions>(param_groups(), state(), true);
  return loss;
}

}  // namespace kindred::optimizers
