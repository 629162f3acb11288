// The blocks of Swin Transformers: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using
// Shifted Windows", ICCV 2021. Tensors have timm's names.
//
// Every block maps a map [N, C, h, w] to a map. Inside, channels come last: a map in channels-last memory is
// taken and given without a copy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kindred/core/random.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred::swin {

/// "patch_embed": patches of 4 x 4 pixels -> channels, normalized. Images are padded with zeros at the bottom
/// and at the right to whole patches.
[[nodiscard]] BlockRecipe patch_embedding(std::int64_t channels);

struct WindowBlockOptions {
  std::int64_t channels = 0;
  std::int64_t heads = 0;
  std::int64_t window = 7;
  bool shifted = false;
  bool shift_single_window = false;  ///< Swin::Params
  double drop_path = 0;
  bool recompute = false;
};

/// Attention within windows, then an MLP, each after a normalization and beside a shortcut (equation 3).
///
/// Maps are padded with zeros at the bottom and at the right to whole windows, after the normalization; what
/// is padded is attended to. Then a shifted block moves the windows by half a window (rounded down); what
/// moved around the edge is masked. A height or a width that one window covers is not shifted, unless
/// `shift_single_window`.
[[nodiscard]] BlockRecipe window_block(std::string name, const WindowBlockOptions& options,
                                       const std::shared_ptr<RandomStream>& random);

/// Joins the channels of each 2 x 2 pixels, normalizes them and halves their number. With stride 1 the 2 x 2
/// pixels move by one pixel, and a row and a column of zeros are added at the bottom and at the right.
[[nodiscard]] BlockRecipe patch_merging(std::string name, std::int64_t in, std::int64_t stride);

/// SOLIDER (Chen et al., "Beyond Appearance: a Semantic Controllable Self-Supervised Learning Framework for
/// Human-Centric Visual Tasks", CVPR 2023): each channel times softplus(w(s)) plus b(s), where w
/// and b are linear in s = (weight, 1 - weight). They are not trained: SOLIDER-REID keeps those of the
/// pretraining.
[[nodiscard]] BlockRecipe semantic_embedding(std::string name, std::int64_t channels, double weight);

/// "norm": over the channels of each pixel.
[[nodiscard]] BlockRecipe final_norm(std::int64_t channels);

}  // namespace kindred::swin
