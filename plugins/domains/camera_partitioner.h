// Every camera is a domain of its own.
#pragma once

#include <string>

#include "kindred/core/schema.h"
#include "kindred/role/partitioner.h"

namespace kindred::domains {

/// "camera_3" for an image of camera 3.
class CameraPartitioner final : public Partitioner {
 public:
  struct Params {};
  static Schema<Params> schema();

  CameraPartitioner(const Params& params, const Context& context);
  [[nodiscard]] bool needs_pixels() const override { return false; }
  [[nodiscard]] std::string domain(const Sample& sample, const cv::Mat& image) const override;
};

}  // namespace kindred::domains
