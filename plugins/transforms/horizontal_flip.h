// Mirrors an image left to right.
#pragma once

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::transforms {

class HorizontalFlip final : public Augmentation {
 public:
  struct Params {
    double prob = 0.5;
  };
  static Schema<Params> schema();

  HorizontalFlip(const Params& params, const Context& context);
  void apply(cv::Mat& image, RandomStream& random) override;

 private:
  Params params_;
};

}  // namespace kindred::transforms
