// CLIP's text encoder: Radford et al., ICML 2021, section 2.4.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kindred/nn/feed_forward.h"

namespace kindred::clip {

class TextBlock;

struct TextEncoderOptions {
  std::int64_t width = 512;
  std::int64_t depth = 12;
  std::int64_t dim = 512;     ///< of the feature
  std::int64_t context = 77;  ///< most tokens of a text
  FeedForwardActivation activation = FeedForwardActivation::quick_gelu;
};

/// A transformer in which a token attends to itself and those before it. The tensors of its blocks have
/// timm's names, as those of image encoders have: "blocks.0.attn.qkv.weight".
class TextEncoder final : public torch::nn::Module {
 public:
  explicit TextEncoder(const TextEncoderOptions& options);

  /// @param tokens embedded, [N, T, width] with T up to the context; the last one is the text's end
  /// @return features [N, dim]. Tokens after the end would change nothing, so leave them out.
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& tokens);

 private:
  std::vector<std::shared_ptr<TextBlock>> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::Tensor position_;
  torch::Tensor projection_;
};

}  // namespace kindred::clip
