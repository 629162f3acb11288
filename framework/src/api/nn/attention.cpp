#include "kindred/nn/attention.h"

#include <stdexcept>

#include "torch_version.h"

namespace kindred {

torch::Tensor dot_product_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const torch::Tensor& bias) {
  return attention_of(q, k, v, bias);
}

SelfAttention::SelfAttention(std::int64_t channels, std::int64_t heads, bool qkv_bias)
    : heads_(heads),
      qkv_(register_module(
          "qkv", torch::nn::Linear(torch::nn::LinearOptions(channels, 3 * channels).bias(qkv_bias)))),
      proj_(register_module("proj", torch::nn::Linear(channels, channels))) {
  if (heads < 1 || channels % heads != 0) throw std::logic_error("the channels divide into the heads");
}

SelfAttention::~SelfAttention() = default;

torch::Tensor SelfAttention::forward(const torch::Tensor& tokens) {
  const auto images = tokens.size(0);
  const auto count = tokens.size(1);
  const auto channels = tokens.size(2);
  const auto qkv =
      qkv_->forward(tokens).reshape({images, count, 3, heads_, channels / heads_}).permute({2, 0, 3, 1, 4});
  const auto mixed = dot_product_attention(qkv[0], qkv[1], qkv[2]);
  return proj_->forward(mixed.transpose(1, 2).reshape({images, count, channels}));
}

}  // namespace kindred
