// A camera: where it stands, from which side it sees people, and what it does to their colors.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "kindred/core/random.h"

namespace kindred::synthetic {

struct Camera {
  cv::Mat scene;  ///< see scene.h

  float yaw = 0;         ///< the side from which people are usually seen, radians
  float yaw_spread = 0;  ///< standard deviation around it, radians
  float pitch = 0;
  float light_side = 0;
  float zoom = 1;   ///< how large people are in the crop
  float shift = 0;  ///< how far the crop usually misses them downwards

  float exposure = 200;  ///< the sum of the three channels' means that it adjusts itself to
  std::array<float, 3> cast{1, 1, 1};
  float saturation = 1;
  float contrast = 1;
  std::array<float, 2> falloff{0, 0};  ///< light at the right and the lower edge against the middle
  float blur = 0;                      ///< standard deviation, crop units
  float noise = 0;                     ///< standard deviation, of 255
};

/// @param number from 1
/// @param height of the pictures, in pixels
/// @param difficulty 0..1: how much cameras differ
[[nodiscard]] Camera make_camera(std::uint64_t seed, std::int64_t number, int height, double difficulty);

}  // namespace kindred::synthetic
