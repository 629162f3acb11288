// CLIP's modified residual network: Radford et al., ICML 2021, section 2.4.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"
#include "kindred/nn/weights_layout.h"
#include "variants.h"

namespace kindred::clip {

/// As ResNet-D (He et al., CVPR 2019) with average pooling ahead of every strided convolution: a stem of
/// three 3x3 convolutions and a 2x2 average; in blocks with a stride the 3x3 convolution has stride 1 and an
/// average pooling follows. Its attention pooling belongs to the head clip_reid.
///
/// Blocks "stem", "layer1.0", ..., tensors with OpenAI's names, less "visual.".
class ClipResnet final : public ChainBackbone {
 public:
  struct Params {
    ResnetVariant variant = ResnetVariant::rn50;
    std::int64_t last_stride = 1;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  ClipResnet(const Params& params, const Context& context);

  [[nodiscard]] std::int64_t channels() const override { return 32 * shape_.width; }

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  ResnetShape shape_;
};

}  // namespace kindred::clip
