// The end of a residual block in one pass, as operators of TorchScript: kindred::add_relu_ and
// kindred::scale_add_relu_.
#pragma once

#include <torch/types.h>

namespace kindred::inference {

/// relu(x + other), into x.
torch::Tensor add_relu_(torch::Tensor x, const torch::Tensor& other);

/// relu(x * scale + other), into x.
/// @param x [N, C, h, w], as is `other`
/// @param scale [N, C, 1, 1]
torch::Tensor scale_add_relu_(torch::Tensor x, const torch::Tensor& scale, const torch::Tensor& other);

/// Registers both; may be called again.
void register_residual_ends();

}  // namespace kindred::inference
