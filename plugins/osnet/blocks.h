// The blocks of OSNet and its variants with instance normalization: Zhou et al., "Omni-Scale Feature Learning
// for Person Re-Identification", ICCV 2019, and "Learning Generalisable Omni-Scale Representations for Person
// Re-Identification", TPAMI 2021. Tensors have torchreid's names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/chain_backbone.h"

namespace kindred::osnet {

enum class Norm { none, batch, instance };

/// Where a residual block normalizes by instance, "IN".
enum class ResidualNorm {
  none,
  after_sum,  ///< the sum of residual and shortcut
  inside,     ///< the residual, in place of the batch normalization of its last convolution
};

/// What the light convolutions of the four streams are called.
enum class StreamNames {
  letters,  ///< "conv2a", "conv2b.0", "conv2b.1"
  numbers,  ///< "conv2.0.layers.0", "conv2.1.layers.0", "conv2.1.layers.1"
};

struct BlockOptions {
  std::int64_t in = 0;
  std::int64_t out = 0;
  ResidualNorm residual_norm = ResidualNorm::none;
  StreamNames names = StreamNames::letters;
};

/// Parameters of all variants.
struct OsnetParams {
  double width_multiplier = 1.0;
  std::int64_t last_stride = 2;
};

/// Declares them.
/// @param last the block that downsamples last
/// @param cut the block before it
[[nodiscard]] Schema<OsnetParams> osnet_schema(std::string summary, std::string source,
                                               const std::string& last, const std::string& cut);

/// Of conv1, conv2, conv3, and conv4 with conv5.
[[nodiscard]] std::vector<std::int64_t> stage_channels(double width_multiplier);

/// "conv1": 7x7/2 and max pooling.
[[nodiscard]] BlockRecipe stem(std::int64_t channels, Norm norm);
/// Four streams, in which 1 to 4 light 3x3 convolutions see 3x3 to 9x9 pixels; one gate, shared by the
/// streams, weighs their channels.
[[nodiscard]] BlockRecipe omni_scale_block(std::string name, const BlockOptions& options);
/// 1x1 and average pooling by the stride.
[[nodiscard]] BlockRecipe transition(std::string name, std::int64_t channels, std::int64_t stride);
/// "conv5": 1x1.
[[nodiscard]] BlockRecipe last_convolution(std::int64_t channels);

}  // namespace kindred::osnet
