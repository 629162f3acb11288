// The blocks of ConvNeXt: Liu et al., "A ConvNet for the 2020s", CVPR 2022. Tensors have timm's names.
//
// Every block maps a map [N, C, h, w] to a map. Inside, channels come last: a map in channels-last memory is
// taken and given without a copy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kindred/core/random.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred::convnext {

/// "stem": 4x4/4, normalized. Throws ComponentError when an image is smaller than 4 x 4 pixels.
[[nodiscard]] BlockRecipe stem(std::int64_t channels);

struct ResidualOptions {
  std::int64_t channels = 0;
  double drop_path = 0;
  bool recompute = false;
};

/// 7x7 within each channel, a normalization and an MLP over the channels of each pixel, beside a shortcut
/// (figure 4).
[[nodiscard]] BlockRecipe residual_block(std::string name, const ResidualOptions& options,
                                         const std::shared_ptr<RandomStream>& random);

/// A normalization and 2x2/2; twice the channels. With stride 1 the 2x2 convolution moves by one pixel, and a
/// row and a column of zeros are added at the bottom and at the right. Throws ComponentError when it would
/// leave nothing of a map.
[[nodiscard]] BlockRecipe downsampling(std::string name, std::int64_t in, std::int64_t stride);

/// "norm": over the channels of each pixel.
[[nodiscard]] BlockRecipe final_norm(std::int64_t channels);

}  // namespace kindred::convnext
