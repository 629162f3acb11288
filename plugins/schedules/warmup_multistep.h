// Linear warm-up, then steps down at milestones.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/schedule.h"

namespace kindred::schedules {

/// With e the epoch, counted from 1, W the warm-up's epochs and f its start: the factor of a whole epoch is
/// f (1 - e / W) + e / W while e < W, then 1; multiplied by gamma once for each milestone m with e >= m. So a
/// milestone of 30 acts from the start of the 30th epoch on: as in PyTorch when the scheduler is stepped at
/// the start of each epoch.
class WarmupMultistep final : public Schedule {
 public:
  struct Params {
    std::int64_t warmup_epochs = 10;
    double warmup_start = 0.01;
    std::vector<double> milestones;  ///< all of them epochs, or all shares of the training, below 1
    double gamma = 0.1;
  };
  static Schema<Params> schema();

  /// Throws ComponentError when a milestone lies behind the last epoch.
  WarmupMultistep(const Params& params, const Context& context);
  [[nodiscard]] double factor(std::int64_t epoch, double progress) const override;

 private:
  Params params_;
  std::vector<std::int64_t> milestones_;  // epochs
};

}  // namespace kindred::schedules
