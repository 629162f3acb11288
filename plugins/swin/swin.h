// Swin Transformer: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows",
// ICCV 2021, table 7 in its sizes tiny, small and base; with a semantic weight that of SOLIDER: Chen et al.,
// CVPR 2023.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kindred/core/random.h"
#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred::swin {

/// Blocks: "patch_embed" (4 x 4 pixels), "layers.0.blocks.0", "layers.0.blocks.1", then of each further stage
/// "layers.1.downsample", with a semantic weight "layers.1.semantic", and "layers.1.blocks.0", ...; at last
/// "norm". In every stage each second block shifts its windows. Each block gives a map, so a head can cut
/// after any of them. The last downsampling is "layers.3.downsample": a head with branches that differ in its
/// stride must cut ahead of it, at the latest after the last block of "layers.2".
class Swin final : public ChainBackbone {
 public:
  enum class Size { tiny, small, base };

  struct Params {
    Size size = Size::tiny;
    std::int64_t window = 7;
    std::int64_t last_stride = 2;
    double drop_path = 0.1;
    std::optional<double> semantic_weight;
    bool shift_single_window = false;
    bool recompute = false;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  Swin(const Params& params, const Context& context);
  [[nodiscard]] std::int64_t channels() const override;

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  Params params_;
  std::shared_ptr<RandomStream> random_;
};

}  // namespace kindred::swin
