#include "warmup_multistep.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kindred/core/error.h"

namespace kindred::schedules {

Schema<WarmupMultistep::Params> WarmupMultistep::schema() {
  Schema<Params> s("Linear warm-up epoch by epoch, then a decrease at each milestone.");
  s.add("warmup_epochs", &Params::warmup_epochs,
        "epoch in which the full learning rate is reached; 0: no warm-up")
      .at_least(0)
      .unit("epochs");
  s.add("warmup_start", &Params::warmup_start,
        "factor of the learning rate that the warm-up starts from, as if in an epoch 0")
      .range(0, 1);
  s.add("milestones", &Params::milestones,
        "epochs, counted from 1, at whose start the learning rate is multiplied by gamma")
      .at_least(1)
      .unit("epochs");
  s.add("gamma", &Params::gamma, "factor of the learning rate at each milestone").above(0).at_most(1);
  s.rule([](const Params& params) -> std::string {
    for (std::size_t i = 1; i < params.milestones.size(); ++i) {
      if (params.milestones[i] > params.milestones[i - 1]) continue;
      return "milestones must ascend, but " + std::to_string(params.milestones[i]) + " follows " +
             std::to_string(params.milestones[i - 1]);
    }
    return "";
  });
  return s;
}

WarmupMultistep::WarmupMultistep(const Params& params, const Context& context) : params_(params) {
  for (const auto milestone : params_.milestones) {
    if (milestone <= context.epochs) continue;
    throw ComponentError("schedule/warmup_multistep",
                         "milestone " + std::to_string(milestone) + " is after the last epoch, " +
                             std::to_string(context.epochs) +
                             "; train for more epochs, or choose milestones up to " +
                             std::to_string(context.epochs));
  }
}

double WarmupMultistep::factor(std::int64_t epoch, double /*progress*/) const {
  double factor = 1;
  if (epoch < params_.warmup_epochs) {
    const double done = static_cast<double>(epoch) / static_cast<double>(params_.warmup_epochs);
    factor = params_.warmup_start * (1 - done) + done;
  }
  const auto passed = std::upper_bound(params_.milestones.begin(), params_.milestones.end(), epoch) -
                      params_.milestones.begin();
  return factor * std::pow(params_.gamma, static_cast<double>(passed));
}

}  // namespace kindred::schedules
