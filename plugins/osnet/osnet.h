// OSNet: Zhou et al., "Omni-Scale Feature Learning for Person Re-Identification", ICCV 2019, and OSNet-IBN,
// both with the tensors' names of torchreid; what follows the pooling there, "fc" and "classifier", is the
// head's.
#pragma once

#include <cstdint>
#include <vector>

#include "blocks.h"
#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred::osnet {

/// Blocks: "conv1" (7x7/2 and max pooling), "conv2.0", "conv2.1", "conv2.2", "conv3.0", "conv3.1", "conv3.2",
/// "conv4.0", "conv4.1" and "conv5" (1x1). Each .0 and .1 is a residual block of four streams, in which 1 to
/// 4 light 3x3 convolutions see 3x3 to 9x9 pixels; one gate, shared by the streams, weighs their channels.
/// Each .2 is a transition: 1x1 and average pooling 2x2/2. The last downsampling stage is "conv3.2": with
/// last stride 1 it does not pool. A head with branches that differ in it must cut ahead of that: at the
/// latest behind "conv3.1".
class OsnetChain : public ChainBackbone {
 public:
  [[nodiscard]] std::int64_t channels() const override { return channels_.back(); }

 protected:
  /// @param instance_norm normalize by instance in conv1, and after the sums of conv2
  OsnetChain(const OsnetParams& params, bool instance_norm);
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  std::vector<std::int64_t> channels_;
  bool instance_norm_;
};

class Osnet final : public OsnetChain {
 public:
  using Params = OsnetParams;
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();
  Osnet(const Params& params, const Context& context);
};

/// torchreid's osnet_ibn_x1_0: instance normalization in conv1, and after the sums of conv2.
class OsnetIbn final : public OsnetChain {
 public:
  using Params = OsnetParams;
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();
  OsnetIbn(const Params& params, const Context& context);
};

}  // namespace kindred::osnet
