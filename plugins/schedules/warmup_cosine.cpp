#include "warmup_cosine.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kindred::schedules {
namespace {

double epochs_done(Update update, std::int64_t epoch, double progress) {
  if (update == Update::before_epoch) return static_cast<double>(epoch);
  return static_cast<double>(epoch - 1) + (update == Update::step ? progress : 0);
}

}  // namespace

Schema<WarmupCosine::Params> WarmupCosine::schema() {
  Schema<Params> s("Linear warm-up, then a decrease along half a cosine.",
                   "Loshchilov, Hutter: SGDR, ICLR 2017, equation 5, without restarts");
  s.add("warmup_epochs", &Params::warmup_epochs,
        "epochs until the full learning rate is reached; 0: no warm-up")
      .at_least(0)
      .unit("epochs")
      .also_called({"warmup", "warmup_iters", "warmup_steps", "num_warmup_epochs", "warmup_t"});
  s.add("warmup_start", &Params::warmup_start, "factor of the learning rate at the first step")
      .range(0, 1)
      .also_called({"warmup_lr_init", "warmup_factor"});
  s.add("final_factor", &Params::final_factor, "factor of the learning rate that the last step approaches")
      .range(0, 1)
      .also_called({"eta_min", "min_lr", "final_lr", "lr_min"});
  s.add("warmup_prefix", &Params::warmup_prefix,
        "true: the cosine begins at its top after the warm-up; false: it begins with the training, so that "
        "the warm-up leads into it below its top, as by default in timm");
  s.add(
       "update", &Params::update,
       "when the learning rate changes: 'step': before each step; 'before_epoch': before each epoch, which "
       "counts already, as in TransReID and CLIP-ReID; 'after_epoch': after each epoch, as in timm and "
       "SOLIDER",
       {{"step", Update::step}, {"before_epoch", Update::before_epoch}, {"after_epoch", Update::after_epoch}})
      .also_called({"t_in_epochs"});
  return s;
}

WarmupCosine::WarmupCosine(const Params& params, const Context& context)
    : params_(params), epochs_(context.epochs) {}

double WarmupCosine::factor(std::int64_t epoch, double progress) const {
  const double done = epochs_done(params_.update, epoch, progress);
  const auto warmup = static_cast<double>(params_.warmup_epochs);
  if (done < warmup) return params_.warmup_start + (1 - params_.warmup_start) * done / warmup;
  const double start = params_.warmup_prefix ? warmup : 0;
  // A warm-up as long as the training leaves nothing to fall along.
  const double all = static_cast<double>(epochs_) - start;
  const double share = all > 0 ? std::min(1.0, (done - start) / all) : 0;
  return params_.final_factor + (1 - params_.final_factor) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

}  // namespace kindred::schedules
