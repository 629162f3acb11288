#include "training/gradients.h"

#include <ATen/ops/_foreach_norm.h>

namespace kindred::training {

std::vector<torch::Tensor> gradients_of(const torch::optim::Optimizer& optimizer) {
  std::vector<torch::Tensor> gradients;
  for (const auto& group : optimizer.param_groups()) {
    for (const auto& parameter : group.params()) {
      const auto& gradient = parameter.grad();
      if (!gradient.defined()) continue;
      gradients.push_back(gradient.is_sparse() ? gradient._values() : gradient);
    }
  }
  return gradients;
}

torch::Tensor gradient_norm(const std::vector<torch::Tensor>& gradients) {
  if (gradients.empty()) return torch::zeros({});
  const torch::NoGradGuard no_grad;
  return torch::stack(at::_foreach_norm(gradients, 2)).norm().to(torch::kFloat32);
}

void clip_gradients(const std::vector<torch::Tensor>& gradients, const torch::Tensor& norm, double limit) {
  const torch::NoGradGuard no_grad;
  const auto factor = (limit / norm).clamp_max(1);
  for (const auto& gradient : gradients) gradient.mul_(factor);
}

}  // namespace kindred::training
