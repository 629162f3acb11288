#include "sgd_steps.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "all_at_once.h"

namespace kindred::optimizers {

struct SgdNumbers {
  float decay;
  float momentum;
  float taken;  // of the gradient, 1 - dampening
  bool nesterov;
  float rate;
};

// A null buffer: no momentum.
KINDRED_FOR_EACH_PROCESSOR
void sgd_step(float* __restrict weight, const float* __restrict gradient, float* __restrict buffer,
              std::int64_t count, const SgdNumbers& numbers) {
  const auto n = numbers;
  if (buffer == nullptr) {
    for (std::int64_t i = 0; i < count; ++i) weight[i] -= n.rate * (gradient[i] + n.decay * weight[i]);
  } else if (n.nesterov) {
    for (std::int64_t i = 0; i < count; ++i) {
      const float own = gradient[i] + n.decay * weight[i];
      buffer[i] = n.momentum * buffer[i] + n.taken * own;
      weight[i] -= n.rate * (own + n.momentum * buffer[i]);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      buffer[i] = n.momentum * buffer[i] + n.taken * (gradient[i] + n.decay * weight[i]);
      weight[i] -= n.rate * buffer[i];
    }
  }
}

namespace {

using SgdChange = Change<torch::optim::SGDParamState>;

struct SgdGroup {
  std::vector<SgdChange> in_loops;
  std::vector<SgdChange> in_lists;
};

void step_in_loops(const std::vector<SgdChange>& changes, const SgdNumbers& numbers) {
  for_each_share(changes, [&](const Share& share) {
    const auto& change = changes[share.change];
    auto* buffer =
        numbers.momentum == 0 ? nullptr : change.state->momentum_buffer().template data_ptr<float>();
    sgd_step(change.weight.data_ptr<float>() + share.first, change.gradient.data_ptr<float>() + share.first,
             buffer == nullptr ? nullptr : buffer + share.first, share.count, numbers);
  });
}

void step_in_lists(const std::vector<SgdChange>& changes, const torch::optim::SGDOptions& options,
                   bool fresh) {
  if (changes.empty()) return;
  auto weights = list_of(changes, [](const auto& change) { return change.weight; });
  auto gradients = list_of(changes, [](const auto& change) { return change.gradient; });
  if (options.weight_decay() != 0) gradients = at::_foreach_add(gradients, weights, options.weight_decay());
  if (options.momentum() != 0) {
    auto buffers = list_of(changes, [](const auto& change) { return change.state->momentum_buffer(); });
    at::_foreach_mul_(buffers, at::Scalar(options.momentum()));
    at::_foreach_add_(buffers, gradients, fresh ? 1 : 1 - options.dampening());
    gradients = options.nesterov() ? at::_foreach_add(gradients, buffers, options.momentum()) : buffers;
  }
  at::_foreach_add_(weights, gradients, -options.lr());
}

}  // namespace

torch::Tensor SgdSteps::step(LossClosure closure) {
  if (has_sparse_gradients(*this)) return torch::optim::SGD::step(std::move(closure));
  torch::Tensor loss;
  if (closure != nullptr) {
    const at::AutoGradMode gradients(true);
    loss = closure();
  }
  const torch::NoGradGuard no_grad;
  for (const auto& group : param_groups()) {
    const auto& options = static_cast<const torch::optim::SGDOptions&>(group.options());
    // By whether the buffer is new, which LibTorch fills with the whole gradient.
    SgdGroup parts[2];
    for (const auto& change : changes_of<torch::optim::SGDParamState>(group, state())) {
      bool fresh = false;
      std::vector<torch::Tensor> others{change.gradient};
      if (options.momentum() != 0) {
        auto& buffer = change.state->momentum_buffer();
        fresh = !buffer.defined();
        if (fresh) buffer = torch::zeros_like(change.weight);
        others.push_back(buffer);
      }
      auto& part = parts[fresh ? 1 : 0];
      (side_by_side(change.weight, others) ? part.in_loops : part.in_lists).push_back(change);
    }
    for (const bool fresh : {false, true}) {
      const auto& part = parts[fresh ? 1 : 0];
      step_in_loops(part.in_loops,
                    {static_cast<float>(options.weight_decay()), static_cast<float>(options.momentum()),
                     static_cast<float>(fresh ? 1 : 1 - options.dampening()), options.nesterov(),
                     static_cast<float>(options.lr())});
      step_in_lists(part.in_lists, options, fresh);
    }
  }
  return loss;
}

}  // namespace kindred::optimizers
