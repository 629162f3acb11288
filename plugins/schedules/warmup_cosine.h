// Linear warm-up, then half a cosine down, step by step.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/schedule.h"

namespace kindred::schedules {

/// With t the epochs done, fractions included, W the warm-up's epochs, f its start, E all epochs and g the
/// final factor: f + (1 - f) t / W while t < W, then g + (1 - g) (1 + cos(pi (t - W) / (E - W))) / 2
/// (Loshchilov & Hutter, SGDR, ICLR 2017, equation 5, without restarts).
class WarmupCosine final : public Schedule {
 public:
  struct Params {
    std::int64_t warmup_epochs = 10;
    double warmup_start = 0.01;
    double final_factor = 0.01;
  };
  static Schema<Params> schema();

  WarmupCosine(const Params& params, const Context& context);
  [[nodiscard]] double factor(std::int64_t epoch, double progress) const override;

 private:
  Params params_;
  std::int64_t epochs_;
};

}  // namespace kindred::schedules
