#include "text_encoder.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>
#include <string>

#include "variants.h"

namespace kindred::clip {
namespace {

/// Nothing of its own but a name in those of its modules.
class Level final : public torch::nn::Module {};

class CausalAttention final : public torch::nn::Module {
 public:
  explicit CausalAttention(std::int64_t width)
      : heads_(width / head_channels),
        in_weight_(register_parameter("in_proj_weight", torch::empty({3 * width, width}))),
        in_bias_(register_parameter("in_proj_bias", torch::zeros({3 * width}))),
        out_(register_module("out_proj", torch::nn::Linear(width, width))) {
    torch::nn::init::normal_(in_weight_, 0.0, 1 / std::sqrt(static_cast<double>(width)));
  }

  /// @param mask [T, T]: added to what a token (row) sees of another (column)
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& mask) {
    const auto texts = tokens.size(0);
    const auto length = tokens.size(1);
    const auto width = tokens.size(2);
    const auto parts = torch::linear(tokens, in_weight_, in_bias_)
                           .view({texts, length, 3, heads_, width / heads_})
                           .permute({2, 0, 3, 1, 4});
    const auto scale = 1 / std::sqrt(static_cast<double>(width / heads_));
    const auto scores = (parts[0] * scale).matmul(parts[1].transpose(-2, -1)) + mask;
    const auto mixed = scores.softmax(-1).matmul(parts[2]);
    return out_->forward(mixed.transpose(1, 2).reshape({texts, length, width}));
  }

 private:
  std::int64_t heads_;
  torch::Tensor in_weight_;
  torch::Tensor in_bias_;
  torch::nn::Linear out_;
};

torch::nn::LayerNorm layer_norm(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}));
}

}  // namespace

class TextBlock final : public torch::nn::Module {
 public:
  explicit TextBlock(std::int64_t width)
      : norm1_(register_module("ln_1", layer_norm(width))),
        attention_(register_module("attn", std::make_shared<CausalAttention>(width))),
        norm2_(register_module("ln_2", layer_norm(width))) {
    const auto mlp = register_module("mlp", std::make_shared<Level>());
    widen_ = mlp->register_module("c_fc", torch::nn::Linear(width, 4 * width));
    narrow_ = mlp->register_module("c_proj", torch::nn::Linear(4 * width, width));
  }

  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& mask) {
    const auto attended = tokens + attention_->forward(norm1_->forward(tokens), mask);
    const auto wide = widen_->forward(norm2_->forward(attended));
    // "QuickGELU"
    return attended + narrow_->forward(wide * (1.702 * wide).sigmoid());
  }

 private:
  torch::nn::LayerNorm norm1_;
  std::shared_ptr<CausalAttention> attention_;
  torch::nn::LayerNorm norm2_;
  torch::nn::Linear widen_{nullptr};
  torch::nn::Linear narrow_{nullptr};
};

TextEncoder::TextEncoder(const TextEncoderOptions& options) {
  const auto transformer = register_module("transformer", std::make_shared<Level>());
  const auto blocks = transformer->register_module("resblocks", std::make_shared<Level>());
  for (std::int64_t i = 0; i < options.depth; ++i) {
    blocks_.push_back(
        blocks->register_module(std::to_string(i), std::make_shared<TextBlock>(options.width)));
  }
  norm_ = register_module("ln_final", layer_norm(options.width));
  position_ = register_parameter("positional_embedding", torch::empty({options.context, options.width}));
  projection_ = register_parameter("text_projection", torch::empty({options.width, options.dim}));
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
