// OSNet: Zhou et al., "Omni-Scale Feature Learning for Person Re-Identification", ICCV 2019, with the
// tensors' names of torchreid, whose weights (osnet_x1_0_imagenet.pth and its relatives) fit less their "fc"
// and "classifier": pooling and what follows it are the head's.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred::osnet {

/// Blocks: "conv1" (7x7/2 and max pooling), "conv2.0", "conv2.1", "conv2.2", "conv3.0", "conv3.1", "conv3.2",
/// "conv4.0", "conv4.1" and "conv5" (1x1). Each .0 and .1 is a residual block of four streams, in which 1 to
/// 4 light 3x3 convolutions see 3x3 to 9x9 pixels; one gate, shared by the streams, weighs their channels.
/// Each .2 is a transition: 1x1 and average pooling 2x2/2. The last downsampling stage is "conv3.2": with
/// last stride 1 it does not pool. A head with branches that differ in it must cut ahead of that: at the
/// latest behind "conv3.1".
class Osnet final : public ChainBackbone {
 public:
  struct Params {
    double width_multiplier = 1.0;
    std::int64_t last_stride = 2;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  Osnet(const Params& params, const Context& context);
  [[nodiscard]] std::int64_t channels() const override { return channels_.back(); }

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  std::vector<std::int64_t> channels_;  // of conv1, conv2, conv3, and conv4 with conv5
};

}  // namespace kindred::osnet
