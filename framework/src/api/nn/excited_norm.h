// The end of a residual block with squeeze and excitation.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/types.h>

namespace kindred {

/// Two 1x1 convolutions with a bias: "fc1" and "fc2" of squeeze and excitation.
struct ExcitationWeights {
  torch::Tensor inner;  ///< [R, C, 1, 1]
  torch::Tensor inner_bias;
  torch::Tensor outer;  ///< [C, R, 1, 1]
  torch::Tensor outer_bias;
};

/// relu(x sigmoid(outer relu(inner mean(x))) + shortcut) of x = norm(map), where mean is of each image's
/// pixels (Hu et al., CVPR 2018). What it is computed by, and up to what it is the same, as of
/// batch_normalized_relu(). In 16 bits the two small layers are computed in 32.
[[nodiscard]] torch::Tensor excited_norm_relu(torch::nn::BatchNorm2dImpl& norm, const torch::Tensor& map,
                                              const ExcitationWeights& weights,
                                              const torch::Tensor& shortcut);

}  // namespace kindred
