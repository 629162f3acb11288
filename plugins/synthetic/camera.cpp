#include "camera.h"

#include <algorithm>
#include <cmath>

#include "scene.h"
#include "streams.h"

namespace kindred::synthetic {

Camera make_camera(std::uint64_t seed, std::int64_t number, int height, double difficulty) {
  RandomStream random(seed, {streams::camera, static_cast<std::uint64_t>(number)});
  const auto spread = [&random](double width) { return static_cast<float>(random.uniform(-width, width)); };
  const double d = difficulty;

  Camera camera;
  // Multiples of the golden angle: neighbors look from different sides and no two from the same.
  constexpr double golden_angle = 2.39996;
  const double turn = golden_angle * static_cast<double>(number - 1) + random.uniform(-0.4, 0.4);
  camera.yaw = static_cast<float>(std::remainder(turn, 6.283185307) * std::min(1.0, 0.15 + 1.7 * d));
  camera.yaw_spread = static_cast<float>(0.1 + 0.5 * d);
  camera.pitch = static_cast<float>(random.uniform(0.03, 0.06 + 0.16 * d));
  camera.light_side = spread(1);
  camera.zoom = 1 + spread(0.02 + 0.08 * d);
  camera.shift = spread(0.01 + 0.03 * d);

  camera.exposure = 250 + spread(8 + 65 * d);
  const float warmth = spread(0.03 + 0.22 * d);
  const float tint = spread(0.02 + 0.1 * d);
  camera.cast = {1 + warmth, 1 + tint, 1 - warmth};
  camera.saturation = static_cast<float>(random.uniform(1.05 - 0.75 * d, 1.1 + 0.15 * d));
  camera.contrast = static_cast<float>(random.uniform(1.2 - 0.6 * d, 1.25 + 0.1 * d));
  camera.falloff = {spread(0.05 + 0.3 * d), spread(0.05 + 0.3 * d)};
  camera.blur = static_cast<float>(random.uniform(0, 0.002 + 0.009 * d));
  camera.noise = static_cast<float>(random.uniform(1, 2 + 12 * d));

  // People are drawn at the full size; what stands behind them needs no more than this.
  const int unit = std::clamp(height, 64, 256);
  const auto kind = (number - 1 + static_cast<std::int64_t>(seed % scene_kinds)) % scene_kinds;
  camera.scene = draw_scene(random, static_cast<int>(kind), unit);
  return camera;
}

}  // namespace kindred::synthetic
