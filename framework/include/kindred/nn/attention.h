// Attention: Vaswani et al., "Attention Is All You Need", NIPS 2017.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>

#include "kindred/core/export.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {

/// softmax(q k^T / sqrt(d) + bias) v, the paper's equation 1, as fast as the LibTorch at hand has it.
/// @param q, k, v [N, heads, T, d]
/// @param bias undefined or broadcast to [N, heads, T, T]: relative positions, or -infinity where a token
/// must not look
[[nodiscard]] KINDRED_API torch::Tensor dot_product_attention(const torch::Tensor& q, const torch::Tensor& k,
                                                              const torch::Tensor& v,
                                                              const torch::Tensor& bias = {});

/// Attention of tokens [N, T, C] to each other. Tensors as in timm: "qkv.weight" [3 C, C], rows of all heads'
/// queries, then keys, then values; "qkv.bias", "proj.weight", "proj.bias".
class KINDRED_API SelfAttention final : public TensorModule {
 public:
  /// Throws std::logic_error unless the channels divide into the heads.
  SelfAttention(std::int64_t channels, std::int64_t heads, bool qkv_bias = true);
  ~SelfAttention() override;
  torch::Tensor forward(const torch::Tensor& tokens) override;

 private:
  std::int64_t heads_;
  torch::nn::Linear qkv_;
  torch::nn::Linear proj_;
};

}  // namespace kindred
