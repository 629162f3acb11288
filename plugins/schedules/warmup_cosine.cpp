#include "warmup_cosine.h"

#include <cmath>
#include <numbers>

namespace kindred::schedules {

Schema<WarmupCosine::Params> WarmupCosine::schema() {
  Schema<Params> s("Linear warm-up, then a decrease along half a cosine, updated at every step.",
                   "Loshchilov, Hutter: SGDR, ICLR 2017, equation 5, without restarts");
  s.add("warmup_epochs", &Params::warmup_epochs,
        "epochs until the full learning rate is reached; 0: no warm-up")
      .at_least(0)
      .unit("epochs")
      .also_called({"warmup", "warmup_iters", "warmup_steps", "num_warmup_epochs"});
  s.add("warmup_start", &Params::warmup_start, "factor of the learning rate at the first step").range(0, 1);
  s.add("final_factor", &Params::final_factor, "factor of the learning rate that the last step approaches")
      .range(0, 1)
      .also_called({"eta_min", "min_lr", "final_lr"});
  return s;
}

WarmupCosine::WarmupCosine(const Params& params, const Context& context)
    : params_(params), epochs_(context.epochs) {}

double WarmupCosine::factor(std::int64_t epoch, double progress) const {
  const double done = static_cast<double>(epoch - 1) + progress;
  const auto warmup = static_cast<double>(params_.warmup_epochs);
  if (done < warmup) return params_.warmup_start + (1 - params_.warmup_start) * done / warmup;
  const double share = (done - warmup) / (static_cast<double>(epochs_) - warmup);
  return params_.final_factor + (1 - params_.final_factor) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

}  // namespace kindred::schedules
