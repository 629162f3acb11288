// Linear warm-up, then half a cosine down, step by step or epoch by epoch.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/schedule.h"

namespace kindred::schedules {

/// When the learning rate changes: what counts as the epochs that are done.
enum class Update {
  step,          ///< before each step, fractions of epochs included
  before_epoch,  ///< before each epoch, which counts as done: TransReID and CLIP-ReID call
                 ///< `scheduler.step(epoch)` there, with epochs from 1
  after_epoch,   ///< after each epoch: the first has the factor of epoch 0, as with timm and SOLIDER
};

/// With t the epochs done, W the warm-up's epochs, f its start, E all epochs and g the final factor:
/// f + (1 - f) t / W while t < W, then g + (1 - g) (1 + cos(pi (t - W) / (E - W))) / 2 (Loshchilov & Hutter,
/// SGDR, ICLR 2017, equation 5, without restarts). Without `warmup_prefix` the cosine has begun with the
/// training, pi t / E, so that the warm-up ends below 1: timm's CosineLRScheduler, whose warmup_lr_init and
/// lr_min are f and g times the learning rate.
class WarmupCosine final : public Schedule {
 public:
  struct Params {
    std::int64_t warmup_epochs = 10;
    double warmup_start = 0.01;
    double final_factor = 0.01;
    bool warmup_prefix = true;
    Update update = Update::step;
  };
  static Schema<Params> schema();

  WarmupCosine(const Params& params, const Context& context);
  [[nodiscard]] double factor(std::int64_t epoch, double progress) const override;

 private:
  Params params_;
  std::int64_t epochs_;
};

}  // namespace kindred::schedules
