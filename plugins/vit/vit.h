// Vision transformers: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021; DeiT, Touvron et al.,
// ICML 2021 (distillation token); TransReID, He et al., ICCV 2021 (overlapping patches, cameras and views);
// DINOv2, Oquab et al., 2023, and Darcet et al., ICLR 2024 (layer scale, registers).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"
#include "kindred/nn/position_embedding.h"
#include "kindred/nn/side_embedding.h"
#include "stem.h"

namespace kindred::vit {

/// Blocks: "stem", "blocks.0", "blocks.1", ..., "norm". Tokens: class, distillation, registers, then the grid
/// row by row.
class Vit final : public ChainBackbone {
 public:
  enum class Size { tiny, small, base, large };
  enum class StemKind { patches, convolutions };
  enum class Side { none, camera, view, camera_view };

  struct Params {
    Size size = Size::base;
    std::int64_t dim = 0;
    std::int64_t depth = 0;
    std::int64_t heads = 0;
    std::int64_t image_height = 256;
    std::int64_t image_width = 128;
    StemKind stem = StemKind::patches;
    std::int64_t patch_size = 16;
    std::int64_t stride = 0;
    bool distilled = false;
    std::int64_t registers = 0;
    double layer_scale = 0.0;
    double drop_path = 0.0;
    GridResampling position_resampling = GridResampling::bicubic;
    Side side_information = Side::none;
    double side_factor = 3.0;
    UnknownSide unknown_camera = UnknownSide::refuse;
    bool recompute = false;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  /// Throws ComponentError when side information is wanted that the training data do not have.
  Vit(const Params& params, const Context& context);

  [[nodiscard]] std::int64_t channels() const override { return channels_; }
  [[nodiscard]] FeatureForm gives() const override { return FeatureForm::tokens; }
  [[nodiscard]] SideInformation side_information() const override;

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  Params params_;
  std::int64_t channels_;
  StemOptions stem_;
  std::shared_ptr<RandomStream> random_;
};

}  // namespace kindred::vit
