#include "warmup_multistep.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "kindred/core/error.h"

namespace kindred::schedules {
namespace {

bool is_share(double milestone) {
  return milestone < 1;
}

/// Without trailing zeros.
std::string plain(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

std::string list_text(const std::vector<std::int64_t>& epochs) {
  std::string text;
  for (const auto epoch : epochs) text += (text.empty() ? "" : ",") + std::to_string(epoch);
  return "[" + text + "]";
}

/// The milestones as shares of a training that goes on for as long after the last as the steps before it are
/// apart.
std::string share_text(const std::vector<double>& milestones) {
  const double last = milestones.back();
  const double before = milestones.size() > 1 ? milestones[milestones.size() - 2] : 0;
  const double all = last + std::max(last - before, last / 2);
  std::string text;
  for (const double milestone : milestones) {
    text += (text.empty() ? "" : ", ") + plain(std::round(100 * milestone / all) / 100);
  }
  return "[" + text + "]";
}

}  // namespace

Schema<WarmupMultistep::Params> WarmupMultistep::schema() {
  Schema<Params> s("Linear warm-up epoch by epoch, then a decrease at each milestone.");
  s.add("warmup_epochs", &Params::warmup_epochs,
        "epoch in which the full learning rate is reached; 0: no warm-up")
      .at_least(0)
      .unit("epochs")
      .also_called({"warmup", "warmup_iters", "warmup_steps", "num_warmup_epochs"});
  s.add("warmup_start", &Params::warmup_start,
        "factor of the learning rate that the warm-up starts from, as if in an epoch 0")
      .range(0, 1);
  s.add("milestones", &Params::milestones,
        "epochs, counted from 1, at whose start the learning rate is multiplied by gamma; or shares of the "
        "training, "
        "such as [0.33, 0.58], which fit any number of epochs")
      .above(0)
      .also_called({"steps", "step_size", "stepsize", "decay_epochs", "lr_steps"});
  s.add("gamma", &Params::gamma, "factor of the learning rate at each milestone")
      .above(0)
      .at_most(1)
      .also_called({"decay", "lr_decay", "factor"});
  s.rule([](const Params& params) -> std::string {
    for (std::size_t i = 1; i < params.milestones.size(); ++i) {
      if (params.milestones[i] > params.milestones[i - 1]) continue;
      return "milestones must ascend, but " + plain(params.milestones[i]) + " follows " +
             plain(params.milestones[i - 1]);
    }
    for (const double milestone : params.milestones) {
      if (is_share(milestone) != is_share(params.milestones.front())) {
        return "milestones must be all epochs or all shares of the training, but " +
               plain(params.milestones.front()) + " and " + plain(milestone) + " are one of each";
      }
      if (!is_share(milestone) && std::trunc(milestone) != milestone) {
        return "milestones contains " + plain(milestone) +
               ", which is neither a whole number of epochs nor a share of the training, below 1";
      }
    }
    return "";
  });
  return s;
}

WarmupMultistep::WarmupMultistep(const Params& params, const Context& context) : params_(params) {
  const auto& given = params_.milestones;
  for (const double milestone : given) {
    if (is_share(milestone)) {
      const auto epoch = std::llround(milestone * static_cast<double>(context.epochs));
      milestones_.push_back(std::max<std::int64_t>(2, epoch));
      continue;
    }
    if (milestone <= static_cast<double>(context.epochs)) {
      milestones_.push_back(static_cast<std::int64_t>(milestone));
      continue;
    }
    throw ComponentError("schedule/warmup_multistep",
                         "milestones contains " + plain(milestone) + ", which is after the last epoch, " +
                             std::to_string(context.epochs) +
                             "; for a training this long choose milestones = " + list_text(milestones_) +
                             ", or give shares of the training, such as " + share_text(given) +
                             ", which fit any number of epochs");
  }
}

double WarmupMultistep::factor(std::int64_t epoch, double /*progress*/) const {
  double factor = 1;
  if (epoch < params_.warmup_epochs) {
    const double done = static_cast<double>(epoch) / static_cast<double>(params_.warmup_epochs);
    factor = params_.warmup_start * (1 - done) + done;
  }
  const auto passed = std::upper_bound(milestones_.begin(), milestones_.end(), epoch) - milestones_.begin();
  return factor * std::pow(params_.gamma, static_cast<double>(passed));
}

}  // namespace kindred::schedules
