// Subtracts the mean and divides by the standard deviation of each channel.
#pragma once

#include <vector>

#include "kindred/role/augmentation.h"
#include "kindred/schema.h"

namespace kindred {

/// (x - mean) / std in 32-bit floats, with x in [0, 1]: bytes are divided by 255 first, floats are taken to
/// be in [0, 1] already.
class Normalize final : public Augmentation {
 public:
  struct Params {
    std::vector<double> mean = {0.485, 0.456, 0.406};
    std::vector<double> std = {0.229, 0.224, 0.225};
  };
  static Schema<Params> schema();

  Normalize(const Params& params, const Context& context);
  void apply(cv::Mat& image, RandomStream& random) override;
  [[nodiscard]] bool at_test_time() const override { return true; }

 private:
  /// What a row of this many pixels is multiplied by and what is then added, value by value.
  struct Row {
    std::vector<float> scale;
    std::vector<float> offset;
  };
  [[nodiscard]] Row row(int pixels, double unit) const;

  Params params_;
};

}  // namespace kindred
