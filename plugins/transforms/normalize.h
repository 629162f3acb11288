// Subtracts the mean and divides by the standard deviation of each channel.
#pragma once

#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::transforms {

/// standardize() with the deviations above 0.
class Normalize final : public Augmentation {
 public:
  struct Params {
    std::vector<double> mean = {0.485, 0.456, 0.406};
    std::vector<double> std = {0.229, 0.224, 0.225};
  };
  static Schema<Params> schema();

  Normalize(const Params& params, const Context& context);
  /// Throws ComponentError where standardize() refuses the image, as one that is normalized already.
  void apply(cv::Mat& image, RandomStream& random) override;
  [[nodiscard]] bool at_test_time() const override { return true; }

 private:
  Params params_;
};

}  // namespace kindred::transforms
