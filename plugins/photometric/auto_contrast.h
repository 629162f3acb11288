// Stretches an image's contrast.
#pragma once

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::photometric {

/// stretch_contrast() of colors.h with probability `prob`.
class AutoContrast final : public Augmentation {
 public:
  struct Params {
    double prob = 0.5;
  };
  static Schema<Params> schema();

  AutoContrast(const Params& params, const Context& context);
  /// Throws ComponentError when the image is not of 8 bits a channel.
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace kindred::photometric
