// Shifts an image by a random way.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::transforms {

/// Zeros on all four sides, then a crop of the image's own size at a random place: every shift of at most
/// `padding` pixels in each direction is equally likely. Draws the vertical shift first.
class PadCrop final : public Augmentation {
 public:
  struct Params {
    std::int64_t padding = 10;
  };
  static Schema<Params> schema();

  PadCrop(const Params& params, const Context& context);
  /// Throws ComponentError when the padding is not smaller than the image.
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace kindred::transforms
