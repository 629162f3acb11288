// The place that a camera watches.
#pragma once

#include <opencv2/core/mat.hpp>

#include "kindred/core/random.h"

namespace kindred::synthetic {

/// Width and height of a scene, in crop units: pictures are windows of about 0.5 x 1 into it.
inline constexpr double scene_width = 2.2;
inline constexpr double scene_height = 1.2;

inline constexpr int scene_kinds = 6;

/// @param kind 0..scene_kinds - 1: street, park, hall, brick wall, car park, shops
/// @param unit pixels a crop unit
/// @return CV_8UC3, RGB
[[nodiscard]] cv::Mat draw_scene(RandomStream& random, int kind, int unit);

}  // namespace kindred::synthetic
