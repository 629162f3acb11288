// Residual networks and their relatives: He et al., "Deep Residual Learning for Image Recognition", CVPR
// 2016; ResNeXt, Xie et al., CVPR 2017 (groups); SE-ResNet, Hu et al., CVPR 2018 (squeeze and excitation).
#pragma once

#include <torch/nn/modules/container/any.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred {

/// The block that a stage repeats.
enum class ResidualBlock {
  basic,       ///< 3x3, 3x3
  bottleneck,  ///< 1x1, 3x3, 1x1 with four times the channels
};

/// The stem: how its tensors are named and how its map is pooled. Determines which public weights can be
/// loaded.
enum class ResidualStem {
  torchvision,  ///< block "stem", tensors "conv1..." and "bn1..."; pooling 3x3/2 with padding 1
  layer0,       ///< block "layer0", tensors "layer0.conv1..." and "layer0.bn1..." (Cadene's
                ///< pretrained-models); pooling 3x3/2 without padding, the map's size rounded up
};

/// How the map of the stem is pooled, 3x3 with stride 2.
enum class StemPooling {
  padded,      ///< with padding 1, the map's size rounded down
  rounded_up,  ///< without padding, the map's size rounded up
};

struct KINDRED_API ResidualNetworkOptions {
  ResidualBlock block = ResidualBlock::bottleneck;
  ResidualStem stem = ResidualStem::torchvision;
  std::optional<StemPooling> stem_pooling;          ///< absent: as the stem does it
  bool stem_relu = true;                            ///< after the batch norm of the stem
  std::vector<std::int64_t> stages = {3, 4, 6, 3};  ///< blocks in each stage
  std::int64_t last_stride = 2;                     ///< of the last stage
  /// Multiplies the channels of every stage, rounded to a multiple of 8, at least 8.
  double width_multiplier = 1.0;
  /// ResNeXt "32x4d" has groups 32 and width_per_group 4: a bottleneck's 3x3 convolution has groups x
  /// (channels x width_per_group / 64) channels, where the parenthesis is rounded down and at least 1.
  /// Bottlenecks only.
  std::int64_t groups = 1;
  std::int64_t width_per_group = 64;
  /// Squeeze and excitation before the residual sum; its inner channels are those of the block divided by
  /// this.
  std::optional<std::int64_t> se_reduction;
  /// Non-local blocks (Wang et al., CVPR 2018) after the last blocks of each stage, that many, as fast-reid
  /// has them: one inner channel, products scaled by the number of pixels. Empty: none.
  std::vector<std::int64_t> non_local;
  /// A bottleneck applies its stride in the first convolution instead of the 3x3 one.
  bool stride_in_first = false;
  /// Creates the normalization "bn1" for the blocks of a stage (counted from 1) with that many channels; a
  /// BatchNorm2d if empty. This is the only difference between IBN-Net (Pan et al., ECCV 2018) and ResNet.
  std::function<torch::nn::AnyModule(std::int64_t stage, std::int64_t channels)> first_norm;
};

/// Blocks: "stem" or "layer0", then "layer1.0", "layer1.1", ..., and after the block that a non-local one
/// follows "non_local2.0", ... of stage 2: a cut is possible after every block. The last downsampling stage
/// is the last stage. Convolutions are initialized by Kaiming's normal distribution over the fan-out; weights
/// of batch norms are 1, all biases 0.
class KINDRED_API ResidualNetwork : public ChainBackbone {
 public:
  /// Throws std::logic_error for inconsistent options.
  explicit ResidualNetwork(ResidualNetworkOptions options);
  ~ResidualNetwork() override;
  [[nodiscard]] std::int64_t channels() const override;

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const final;

 private:
  [[nodiscard]] std::int64_t planes(std::size_t stage) const;

  ResidualNetworkOptions options_;
};

/// Where fast-reid puts non-local blocks into networks of depth 50 and 101. Throws std::logic_error for
/// another depth.
[[nodiscard]] KINDRED_API std::vector<std::int64_t> non_local_blocks(std::int64_t depth);

/// The stages of the standard networks of depth 18, 34 (basic), 50, 101, 152 (bottleneck). Throws
/// std::logic_error for another depth.
[[nodiscard]] KINDRED_API std::vector<std::int64_t> residual_stages(std::int64_t depth);

}  // namespace kindred
