// The networks that OpenAI published: Radford et al., ICML 2021, tables 19 and 20.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/nn/feed_forward.h"

namespace kindred::clip {

enum class ResnetVariant { rn50, rn101, rn50x4, rn50x16, rn50x64 };
enum class VitVariant { b32, b16, l14 };
/// Text encoders by the image encoders they were trained with.
enum class TextVariant { rn50, rn101, rn50x4, rn50x16, rn50x64, b32, b16, l14 };

struct ResnetShape {
  std::vector<std::int64_t> stages;
  std::int64_t width;  ///< channels of the stem; the last stage has 32 times as many
};

struct VitShape {
  std::int64_t patch;  ///< pixels
  std::int64_t width;
  std::int64_t depth;
};

struct TextShape {
  std::int64_t width;
  std::int64_t dim;  ///< of what images and texts have in common
};

/// Heads of attention have 64 channels in all networks, and 12 blocks all text encoders.
inline constexpr std::int64_t head_channels = 64;
inline constexpr std::int64_t text_depth = 12;
inline constexpr double norm_epsilon = 1e-5;

[[nodiscard]] ResnetShape shape_of(ResnetVariant variant);
[[nodiscard]] VitShape shape_of(VitVariant variant);
[[nodiscard]] TextShape shape_of(TextVariant variant);

/// For schemas, with OpenAI's names: "ViT-B/16".
[[nodiscard]] std::vector<std::pair<std::string, ResnetVariant>> resnet_choices();
[[nodiscard]] std::vector<std::pair<std::string, VitVariant>> vit_choices();
[[nodiscard]] std::vector<std::pair<std::string, TextVariant>> text_choices();
[[nodiscard]] std::vector<std::pair<std::string, FeedForwardActivation>> activation_choices();

}  // namespace kindred::clip
