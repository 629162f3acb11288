// Scales an image to the network's input size.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/augmentation.h"

namespace kindred::transforms {

class Resize final : public Augmentation {
 public:
  enum class Interpolation { linear, area, cubic };

  struct Params {
    std::int64_t height = 384;
    std::int64_t width = 128;
    Interpolation interpolation = Interpolation::linear;
    bool antialias = false;
  };
  static Schema<Params> schema();

  Resize(const Params& params, const Context& context);
  void apply(cv::Mat& image, RandomStream& random) override;
  [[nodiscard]] bool at_test_time() const override { return true; }

 private:
  Params params_;
};

}  // namespace kindred::transforms
