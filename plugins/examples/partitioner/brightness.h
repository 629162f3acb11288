// Day and night.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "kindred/core/schema.h"
#include "kindred/role/partitioner.h"

namespace my_plugins {

/// "dark" or "bright", by the mean gray value of the image.
class Brightness final : public kindred::Partitioner {
 public:
  struct Params {
    double threshold = 90;
  };
  static kindred::Schema<Params> schema();

  Brightness(const Params& params, const Context& context);

  [[nodiscard]] bool needs_pixels() const override { return true; }
  [[nodiscard]] std::string domain(const kindred::Sample& sample, const cv::Mat& image) const override;

 private:
  Params params_;
};

}  // namespace my_plugins
