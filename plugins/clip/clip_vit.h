// CLIP's vision transformer: Radford et al., "Learning Transferable Visual Models From Natural Language
// Supervision", ICML 2021, section 2.4; for re-identification as in Li et al., AAAI 2023.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"
#include "kindred/nn/feed_forward.h"
#include "kindred/nn/side_embedding.h"
#include "kindred/nn/weights_layout.h"
#include "variants.h"

namespace kindred::clip {

/// Blocks: "embedding", which makes the tokens (patches, class token, positions, layer norm), "blocks.0",
/// "blocks.1", ..., and "norm", the layer norm after the last. Tokens [N, 1 + rows columns, width]: the class
/// token, then the patches.
///
/// With side information a learned vector of the image's camera, view, or both, times `side_factor`, is added
/// to the class token before its position.
class ClipVit final : public ChainBackbone {
 public:
  enum class Side { none, camera, view, camera_view };

  struct Params {
    VitVariant variant = VitVariant::b16;
    std::int64_t depth = 0;
    FeedForwardActivation activation = FeedForwardActivation::quick_gelu;
    std::int64_t image_height = 256;
    std::int64_t image_width = 128;
    std::int64_t stride = 0;
    Side side_information = Side::none;
    double side_factor = 1.0;
    UnknownSide unknown_camera = UnknownSide::refuse;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts();

  /// Throws ComponentError when cameras or views are wanted and the training data tell none apart.
  ClipVit(const Params& params, const Context& context);

  [[nodiscard]] std::int64_t channels() const override { return shape_.width; }
  [[nodiscard]] FeatureForm gives() const override { return FeatureForm::tokens; }
  [[nodiscard]] SideInformation side_information() const override;

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override;

 private:
  Params params_;
  VitShape shape_;
  std::int64_t cameras_;  // told apart by the embedding; 0: none
  std::int64_t views_;
};

}  // namespace kindred::clip
