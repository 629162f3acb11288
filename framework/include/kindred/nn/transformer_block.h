// The block that vision transformers repeat: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021,
// equations 2 and 3.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "kindred/core/export.h"
#include "kindred/core/random.h"
#include "kindred/nn/attention.h"
#include "kindred/nn/drop_path.h"
#include "kindred/nn/feed_forward.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {

/// Multiplies each channel by its own factor: Touvron et al., "Going Deeper with Image Transformers", ICCV
/// 2021. One tensor: "gamma" [C].
class KINDRED_API LayerScale final : public TensorModule {
 public:
  LayerScale(std::int64_t channels, double initial);
  ~LayerScale() override;
  /// @param tokens [..., C]
  torch::Tensor forward(const torch::Tensor& tokens) override;

 private:
  torch::Tensor gamma_;
};

struct KINDRED_API TransformerBlockOptions {
  std::int64_t channels = 0;
  std::int64_t heads = 0;
  std::int64_t hidden = 0;  ///< channels between the linear layers of the feed-forward part
  bool qkv_bias = true;
  FeedForwardActivation activation = FeedForwardActivation::gelu;
  double norm_epsilon = 1e-6;
  std::optional<double> layer_scale;     ///< initial factor of both branches; absent: no such layer
  double drop_path = 0.0;                ///< nn/drop_path.h
  std::shared_ptr<RandomStream> random;  ///< the component's own; wanted where paths are dropped
  bool recompute = false;                ///< in training: nn/recompute.h
};

/// x + attention(norm(x)), then x + feed_forward(norm(x)), of tokens [N, T, C]. Tensors as in timm: "norm1",
/// "attn.qkv", "attn.proj", "ls1.gamma", "norm2", "mlp.fc1", "mlp.fc2", "ls2.gamma".
class KINDRED_API TransformerBlock final : public TensorModule {
 public:
  /// Throws std::logic_error for options that make no block. With `recompute` only a std::shared_ptr holds
  /// it.
  explicit TransformerBlock(const TransformerBlockOptions& options);
  ~TransformerBlock() override;
  torch::Tensor forward(const torch::Tensor& tokens) override;

 private:
  [[nodiscard]] torch::Tensor computed(const torch::Tensor& tokens);
  std::shared_ptr<RandomStream> random_;
  bool recompute_;
  torch::nn::LayerNorm norm1_;
  std::shared_ptr<SelfAttention> attn_;
  std::shared_ptr<LayerScale> ls1_;  // nullptr without layer scale
  std::shared_ptr<DropPath> drop_path1_;
  torch::nn::LayerNorm norm2_;
  std::shared_ptr<FeedForward> mlp_;
  std::shared_ptr<LayerScale> ls2_;
  std::shared_ptr<DropPath> drop_path2_;
};

/// A layer norm over the last dimension of that many channels.
[[nodiscard]] KINDRED_API torch::nn::LayerNorm token_norm(std::int64_t channels, double epsilon);

/// As vision transformers start: weights of all linear layers below `module` from a normal distribution of
/// deviation 0.02, their biases 0. (The usual truncation at 100 deviations changes nothing.) Draws from
/// LibTorch's generator.
KINDRED_API void initialize_transformer(torch::nn::Module& module);

}  // namespace kindred
