// Blurs an image.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::photometric {

/// With probability `prob` a convolution with a Gaussian of kernel_size x kernel_size pixels whose standard
/// deviation is uniform in [min_sigma, max_sigma]; the image is mirrored at its border, whose pixels are not
/// repeated. For bytes and floats.
class GaussianBlur final : public Augmentation {
 public:
  struct Params {
    double prob = 0.5;
    std::int64_t kernel_size = 13;
    double min_sigma = 0.1;
    double max_sigma = 2.0;
  };
  static Schema<Params> schema();

  GaussianBlur(const Params& params, const Context& context);
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace kindred::photometric
