// Gradients of many parameters taken together.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <vector>

namespace kindred::training {

/// Those that are there, of all parameters of an optimizer, in its order. Of a sparse one its values, which
/// share its memory: a row that it holds twice is there twice.
[[nodiscard]] std::vector<torch::Tensor> gradients_of(const torch::optim::Optimizer& optimizer);

/// The Euclidean norm of all elements together: a scalar, 32-bit floats, on the gradients' device. Not finite
/// when one of them is not, or when the sum of their squares has no 32-bit number.
[[nodiscard]] torch::Tensor gradient_norm(const std::vector<torch::Tensor>& gradients);

/// Scales them, in place, so that their norm is at most `limit` (Pascanu et al., ICML 2013, algorithm 1).
/// Shorter ones stay bit by bit. Does not wait for the device.
/// @param norm what gradient_norm() gave
void clip_gradients(const std::vector<torch::Tensor>& gradients, const torch::Tensor& norm, double limit);

}  // namespace kindred::training
