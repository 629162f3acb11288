// Batch normalization in training by the passes of channel_kernels.h.
#pragma once

#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/types.h>

#include <optional>

#include "channel_kernels.h"

namespace kindred {

/// What the norm divides and shifts a map by, after its running statistics have taken that in. Nothing, and
/// nothing done, where LibTorch's operations must do it: in evaluation mode, for maps that the passes do not
/// take, and where LibTorch has an error to say.
[[nodiscard]] std::optional<ChannelMoments> batch_moments(torch::nn::BatchNorm2dImpl& norm,
                                                          const torch::Tensor& map);

/// A shortcut in the type and format of the map, for the passes.
[[nodiscard]] torch::Tensor like_map(const torch::Tensor& shortcut, const torch::Tensor& map);

/// The gradient of a map's format and type, for the passes. Throws std::logic_error where a graph of the
/// gradients is asked for.
[[nodiscard]] torch::Tensor gradient_of_map(const torch::autograd::variable_list& gradients,
                                            const torch::Tensor& map);

}  // namespace kindred
