// ConvNeXt: Liu et al., "A ConvNet for the 2020s", CVPR 2022, in its sizes tiny, small and base.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kindred/core/random.h"
#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred::convnext {

/// Blocks: "stem" (4x4/4), "stages.0.blocks.0", ..., then of each further stage "stages.1.downsample" and
/// "stages.1.blocks.0", ...; at last, if it is wanted, "norm". The last downsampling is
/// "stages.3.downsample": a head with branches that differ in its stride must cut ahead of it, at the latest
/// after the last block of "stages.2".
class Convnext final : public ChainBackbone {
 public:
  enum class Size { tiny, small, base };

  struct Params {
    Size size = Size::tiny;
    std::int64_t last_stride = 2;
    double drop_path = 0.1;
    bool final_norm = true;
    bool recompute = false;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  Convnext(const Params& params, const Context& context);
  [[nodiscard]] std::int64_t channels() const override;

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  Params params_;
  std::shared_ptr<RandomStream> random_;
};

}  // namespace kindred::convnext
