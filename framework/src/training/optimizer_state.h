// The state of an optimizer as a tensor, for files.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

namespace kindred::training {

/// LibTorch's archive of the optimizer, uint8. Learning rates are not part of it.
[[nodiscard]] torch::Tensor optimizer_state(const torch::optim::Optimizer& optimizer);

/// Reads such a state, wherever it was saved, into an optimizer of the same parameters on `device`. Throws
/// c10::Error when it is none or of others.
void set_optimizer_state(torch::optim::Optimizer& optimizer, const torch::Tensor& state,
                         torch::Device device);

}  // namespace kindred::training
