// The two looks of the NAIC 2019 competition's second test set.
#pragma once

#include <cstdint>
#include <string>

#include "kindred/core/schema.h"
#include "kindred/role/partitioner.h"

namespace kindred::domains {

/// "violet" when int(mean R) + int(mean G) + int(mean B) > threshold, the means of the 8-bit channels over
/// the whole image; else "origin".
class VioletPartitioner final : public Partitioner {
 public:
  struct Params {
    std::int64_t threshold = 300;
  };
  static Schema<Params> schema();

  VioletPartitioner(const Params& params, const Context& context);
  [[nodiscard]] bool needs_pixels() const override { return true; }
  [[nodiscard]] std::string domain(const Sample& sample, const cv::Mat& image) const override;

 private:
  Params params_;
};

}  // namespace kindred::domains
