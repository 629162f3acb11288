// Normalizes and inverts channels.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::variance_inversion {

/// standardize() with the deviation of the given channels negated: they become (mean - x) / std.
class VarianceInversion final : public Augmentation {
 public:
  struct Params {
    std::vector<std::string> channels = {"G", "B"};
    std::vector<double> mean = {0.485, 0.456, 0.406};
    std::vector<double> std = {0.229, 0.224, 0.225};
  };
  static Schema<Params> schema();

  VarianceInversion(const Params& params, const Context& context);
  /// Throws ComponentError where standardize() refuses the image, as one that is normalized already.
  void apply(cv::Mat& image, RandomStream& random) override;
  [[nodiscard]] bool at_test_time() const override { return true; }

 private:
  std::vector<double> mean_;
  std::vector<double> deviation_;
};

}  // namespace kindred::variance_inversion
