#include "training/loss_scaler.h"

#include <ATen/ops/_foreach_mul.h>

#include <cmath>

#include "kindred/core/error.h"

namespace kindred::training {
namespace {

constexpr std::int64_t steps_to_growth = 2000;
constexpr double smallest_scale = 1.0 / 1024;

}  // namespace

void LossScaler::unscale(const std::vector<torch::Tensor>& gradients) const {
  if (gradients.empty()) return;
  const torch::NoGradGuard no_grad;
  at::_foreach_mul_(gradients, 1 / scale_);
}

void LossScaler::update(bool finite) {
  if (finite) {
    if (++good_steps_ < steps_to_growth) return;
    scale_ *= 2;
  } else {
    scale_ /= 2;
    if (scale_ < smallest_scale) {
      throw Error(
          "training: error: gradients are not finite at any loss scale: the network computes numbers outside "
          "the range of "
          "fp16. Lower the learning rate, warm up longer, or set train.precision to \"bf16\" or \"fp32\". "
          "The last checkpoint is unchanged");
    }
  }
  good_steps_ = 0;
}

torch::Tensor LossScaler::state() const {
  return torch::tensor({scale_, static_cast<double>(good_steps_)}, torch::kFloat64);
}

bool LossScaler::restore(const torch::Tensor& state) {
  if (state.scalar_type() != torch::kFloat64 || state.dim() != 1 || state.numel() != 2) return false;
  const auto scale = state[0].item<double>();
  const auto good_steps = state[1].item<double>();
  if (!std::isfinite(scale) || scale < smallest_scale) return false;
  // What is not a number is not in the range either.
  if (!(good_steps >= 0 && good_steps < static_cast<double>(steps_to_growth))) return false;
  scale_ = scale;
  good_steps_ = static_cast<std::int64_t>(good_steps);
  return true;
}

}  // namespace kindred::training
