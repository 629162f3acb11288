// One picture: a person before a camera, at a moment.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "appearance.h"
#include "camera.h"

namespace kindred::synthetic {

/// The second domain is brighter and violet; the first never is.
enum class Domain { origin, violet };

/// A picture is violet when the sum of its channels' means (8 bits, each rounded down) is above this.
inline constexpr int violet_threshold = 300;

struct Moment {
  std::uint64_t seed = 0;   ///< of the picture: pose, crop, occlusion and noise come from it
  std::uint64_t crowd = 0;  ///< of the data set: what passers-by look like
  double difficulty = 0.6;  ///< 0..1
  Domain domain = Domain::origin;
  /// Of a walk, from 0. All frames with one seed show the same walk before the same background; the crop,
  /// what stands in the way, the light and the noise change from frame to frame.
  std::int64_t frame = 0;
};

/// @return CV_8UC3, RGB, height x width; on the side of violet_threshold that belongs to its domain
[[nodiscard]] cv::Mat draw_picture(const Appearance& who, const Camera& camera, const Moment& moment,
                                   int height, int width);

}  // namespace kindred::synthetic
