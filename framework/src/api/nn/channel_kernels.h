// Passes over maps whose channels lie next to each other: what batch normalization in training consists of.
// Each reads and writes memory once. Sums are taken piece by piece, the pieces being a matter of the map's
// size alone, so no result depends on the number of threads.
#pragma once

#include <torch/types.h>

namespace kindred {

/// Whether the functions below take a map: [N, C, H, W] on the CPU, channels last, 32-bit or bfloat16, not
/// empty.
[[nodiscard]] bool has_channel_kernels(const torch::Tensor& map);

struct ChannelMoments {
  torch::Tensor image_means;  ///< [N, C]; these and all others are 32-bit
  torch::Tensor mean;         ///< [C]
  torch::Tensor variance;     ///< [C], biased
};
[[nodiscard]] ChannelMoments channel_moments(const torch::Tensor& map);

/// map * scale + shift + shortcut, and of that the positive part if `relu`.
/// @param scale, shift [C] or [N, C]
/// @param shortcut as the map; undefined: none
[[nodiscard]] torch::Tensor scaled_map(const torch::Tensor& map, const torch::Tensor& scale,
                                       const torch::Tensor& shift, const torch::Tensor& shortcut, bool relu);

/// Sums over each image's pixels, [N, C]: of the gradient where the output is above 0, and of that times
/// (map - mean).
struct GradientSums {
  torch::Tensor plain;
  torch::Tensor times_map;
};
/// @param output of scaled_map() with a ReLU; undefined: there was none
[[nodiscard]] GradientSums gradient_sums(const torch::Tensor& gradient, const torch::Tensor& map,
                                         const torch::Tensor& output, const torch::Tensor& mean);

/// The gradient where the output is above 0, times scale, plus map * slope + shift; and, if wanted, that
/// gradient itself.
/// @param scale, shift [C] or [N, C]; slope [C]
struct MapGradients {
  torch::Tensor map;
  torch::Tensor shortcut;  ///< undefined unless wanted
};
[[nodiscard]] MapGradients map_gradients(const torch::Tensor& gradient, const torch::Tensor& map,
                                         const torch::Tensor& output, const torch::Tensor& scale,
                                         const torch::Tensor& slope, const torch::Tensor& shift,
                                         bool shortcut);

}  // namespace kindred
