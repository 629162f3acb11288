#include "text_encoder.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/linear.h>

#include <cmath>
#include <limits>
#include <string>

#include "kindred/nn/attention.h"
#include "kindred/nn/transformer_block.h"
#include "variants.h"

namespace kindred::clip {
namespace {

/// Nothing of its own but a name in those of its modules.
class Level final : public torch::nn::Module {};

class CausalAttention final : public torch::nn::Module {
 public:
  explicit CausalAttention(std::int64_t width)
      : heads_(width / head_channels),
        qkv_(register_module("qkv", torch::nn::Linear(width, 3 * width))),
        proj_(register_module("proj", torch::nn::Linear(width, width))) {}

  /// @param mask [T, T]: added to what a token (row) sees of another (column)
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& mask) {
    const auto texts = tokens.size(0);
    const auto length = tokens.size(1);
    const auto width = tokens.size(2);
    const auto qkv =
        qkv_->forward(tokens).view({texts, length, 3, heads_, width / heads_}).permute({2, 0, 3, 1, 4});
    const auto mixed = dot_product_attention(qkv[0], qkv[1], qkv[2], mask);
    return proj_->forward(mixed.transpose(1, 2).reshape({texts, length, width}));
  }

 private:
  std::int64_t heads_;
  torch::nn::Linear qkv_;
  torch::nn::Linear proj_;
};

}  // namespace

class TextBlock final : public torch::nn::Module {
 public:
  TextBlock(std::int64_t width, FeedForwardActivation activation)
      : norm1_(register_module("norm1", token_norm(width, norm_epsilon))),
        attention_(register_module("attn", std::make_shared<CausalAttention>(width))),
        norm2_(register_module("norm2", token_norm(width, norm_epsilon))),
        mlp_(register_module("mlp", std::make_shared<FeedForward>(width, 4 * width, activation))) {}

  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& mask) {
    const auto attended = tokens + attention_->forward(norm1_->forward(tokens), mask);
    return attended + mlp_->forward(norm2_->forward(attended));
  }

 private:
  torch::nn::LayerNorm norm1_;
  std::shared_ptr<CausalAttention> attention_;
  torch::nn::LayerNorm norm2_;
  std::shared_ptr<FeedForward> mlp_;
};

TextEncoder::TextEncoder(const TextEncoderOptions& options) {
  const auto blocks = register_module("blocks", std::make_shared<Level>());
  for (std::int64_t i = 0; i < options.depth; ++i) {
    blocks_.push_back(blocks->register_module(
        std::to_string(i), std::make_shared<TextBlock>(options.width, options.activation)));
  }
  norm_ = register_module("norm", token_norm(options.width, norm_epsilon));
  position_ = register_parameter("position", torch::empty({options.context, options.width}));
  projection_ = register_parameter("projection", torch::empty({options.width, options.dim}));
  initialize_transformer(*this);
  torch::nn::init::normal_(position_, 0.0, 0.01);
  torch::nn::init::normal_(projection_, 0.0, 1 / std::sqrt(static_cast<double>(options.width)));
}

torch::Tensor TextEncoder::forward(const torch::Tensor& tokens) {
  const auto length = tokens.size(1);
  const auto unseen =
      torch::full({length, length}, -std::numeric_limits<float>::infinity(), tokens.options()).triu(1);
  auto values = tokens + position_.narrow(0, 0, length);
  for (const auto& block : blocks_) values = block->forward(values, unseen);
  return norm_->forward(values.select(1, length - 1)).matmul(projection_);
}

}  // namespace kindred::clip
