// Batch normalization of maps with what follows it in nearly every network.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/types.h>

#include <string>

#include "kindred/core/export.h"
#include "kindred/nn/activations.h"

namespace kindred {

/// norm(map), and the same with a ReLU: relu(norm(map)), or relu(norm(map) + shortcut). In training on the
/// CPU, with maps whose channels are last, that is one operation which reads and writes memory less often
/// than LibTorch's one after the other, and keeps less of it for the backward pass; everywhere else,
/// LibTorch's operations. Either way the result, the gradients and the running statistics are those of
/// norm(), up to rounding. On the CPU in 16 bits, one rounding takes the place of three.
///
/// The one operation cannot be differentiated twice: std::logic_error.
[[nodiscard]] KINDRED_API torch::Tensor batch_normalized(torch::nn::BatchNorm2dImpl& norm,
                                                         const torch::Tensor& map);
/// @param shortcut as the map; undefined: none
[[nodiscard]] KINDRED_API torch::Tensor batch_normalized_relu(torch::nn::BatchNorm2dImpl& norm,
                                                              const torch::Tensor& map,
                                                              const torch::Tensor& shortcut = {});

/// For heads that normalize descriptors [N, D], in training: throws ComponentError for a batch of one image,
/// whose statistics would make all of its values zero.
/// @param component "head/name"
KINDRED_API void require_two_images(const Activations& batch, const std::string& component);

}  // namespace kindred
