#include "kindred/nn/transformer_block.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include "kindred/nn/recompute.h"

namespace kindred {

namespace {

constexpr double weight_deviation = 0.02;

torch::Tensor scaled(const std::shared_ptr<LayerScale>& scale, const torch::Tensor& branch) {
  return scale == nullptr ? branch : scale->forward(branch);
}

}  // namespace

LayerScale::LayerScale(std::int64_t channels, double initial)
    : gamma_(register_parameter("gamma", torch::full({channels}, initial))) {}

LayerScale::~LayerScale() = default;

torch::Tensor LayerScale::forward(const torch::Tensor& tokens) {
  return tokens * gamma_;
}

TransformerBlock::TransformerBlock(const TransformerBlockOptions& options)
    : random_(options.random),
      recompute_(options.recompute),
      norm1_(register_module("norm1", token_norm(options.channels, options.norm_epsilon))),
      attn_(register_module(
          "attn", std::make_shared<SelfAttention>(options.channels, options.heads, options.qkv_bias))),
      drop_path1_(
          register_module("drop_path1", std::make_shared<DropPath>(options.drop_path, options.random))),
      norm2_(register_module("norm2", token_norm(options.channels, options.norm_epsilon))),
      mlp_(register_module(
          "mlp", std::make_shared<FeedForward>(options.channels, options.hidden, options.activation))),
      drop_path2_(
          register_module("drop_path2", std::make_shared<DropPath>(options.drop_path, options.random))) {
  if (options.layer_scale) {
    ls1_ = register_module("ls1", std::make_shared<LayerScale>(options.channels, *options.layer_scale));
    ls2_ = register_module("ls2", std::make_shared<LayerScale>(options.channels, *options.layer_scale));
  }
  initialize_transformer(*this);
}

TransformerBlock::~TransformerBlock() = default;

torch::Tensor TransformerBlock::forward(const torch::Tensor& tokens) {
  if (!recompute_ || !is_training() || !needs_gradients(*this, tokens)) return computed(tokens);
  const auto self = std::static_pointer_cast<TransformerBlock>(shared_from_this());
  return recomputed([self](const torch::Tensor& again) { return self->computed(again); }, tokens, random_);
}

torch::Tensor TransformerBlock::computed(const torch::Tensor& tokens) {
  const auto attended = tokens + drop_path1_->forward(scaled(ls1_, attn_->forward(norm1_->forward(tokens))));
  return attended + drop_path2_->forward(scaled(ls2_, mlp_->forward(norm2_->forward(attended))));
}

torch::nn::LayerNorm token_norm(std::int64_t channels, double epsilon) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({channels}).eps(epsilon));
}

void initialize_transformer(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (const auto& part : module.modules(/*include_self=*/false)) {
    if (auto* linear = part->as<torch::nn::Linear>()) {
      torch::nn::init::normal_(linear->weight, 0.0, weight_deviation);
      if (linear->bias.defined()) torch::nn::init::zeros_(linear->bias);
    }
  }
}

}  // namespace kindred
