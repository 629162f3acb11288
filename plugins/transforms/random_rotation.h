// Rotates an image by a random angle.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::transforms {

/// With probability `prob` a rotation about the center by an angle uniform in [-max_degrees, max_degrees],
/// positive counter-clockwise. The size stays, values between pixels are interpolated (bilinear), and what
/// lies outside the image has the value `fill`.
class RandomRotation final : public Augmentation {
 public:
  struct Params {
    double prob = 0.5;
    double max_degrees = 10;
    std::vector<std::int64_t> fill = {0, 0, 0};
  };
  static Schema<Params> schema();

  RandomRotation(const Params& params, const Context& context);
  /// Throws ComponentError when the image is not of 8 bits a channel.
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace kindred::transforms
