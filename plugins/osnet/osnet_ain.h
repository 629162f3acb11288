// OSNet-AIN: Zhou et al., "Learning Generalisable Omni-Scale Representations for Person Re-Identification",
// TPAMI 2021, with the tensors' names of torchreid's osnet_ain_x1_0.
#pragma once

#include <cstdint>
#include <vector>

#include "blocks.h"
#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred::osnet {

/// Blocks: "conv1", "conv2.0", "conv2.1", "pool2", "conv3.0", "conv3.1", "pool3", "conv4.0", "conv4.1" and
/// "conv5". As Osnet, but conv1 normalizes by instance, and so do the residuals of conv2.0, conv2.1, conv3.1
/// and conv4.0: the places that the authors' search found (table 1). The last downsampling stage is "pool3".
class OsnetAin final : public ChainBackbone {
 public:
  using Params = OsnetParams;
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  OsnetAin(const Params& params, const Context& context);
  [[nodiscard]] std::int64_t channels() const override { return channels_.back(); }

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  std::vector<std::int64_t> channels_;
};

}  // namespace kindred::osnet
