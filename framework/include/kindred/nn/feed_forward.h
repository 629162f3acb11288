// The part of a transformer's block that treats each token by itself.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>

#include "kindred/core/export.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {

enum class FeedForwardActivation {
  gelu,        ///< x Phi(x): Hendrycks & Gimpel, arXiv:1606.08415
  quick_gelu,  ///< x sigmoid(1.702 x), their approximation; OpenAI's CLIP
};

/// Linear -> activation -> linear, [..., C] -> [..., C]. Tensors as in timm: "fc1.weight", "fc1.bias",
/// "fc2.weight", "fc2.bias".
class KINDRED_API FeedForward final : public TensorModule {
 public:
  FeedForward(std::int64_t channels, std::int64_t hidden,
              FeedForwardActivation activation = FeedForwardActivation::gelu);
  ~FeedForward() override;
  torch::Tensor forward(const torch::Tensor& tokens) override;

 private:
  FeedForwardActivation activation_;
  torch::nn::Linear fc1_;
  torch::nn::Linear fc2_;
};

}  // namespace kindred
