#include "sgd.h"

#include <string>

#include "parameter_groups.h"
#include "sgd_steps.h"

namespace kindred::optimizers {

Schema<Sgd::Params> Sgd::schema() {
  Schema<Params> s("Stochastic gradient descent with momentum, like torch.optim.SGD.");
  s.add("learning_rate", &Params::learning_rate,
        "base learning rate, multiplied by the schedule and the groups")
      .above(0)
      .also_called({"lr", "base_lr", "initial_lr", "eta"});
  s.add("momentum", &Params::momentum, "share of the previous step that is kept; 0: no momentum").range(0, 1);
  s.add("dampening", &Params::dampening, "share of the gradient that does not enter the momentum")
      .range(0, 1);
  s.add("weight_decay", &Params::weight_decay,
        "factor of the weight that is added to its gradient; applies to biases too, unless a group excludes "
        "them")
      .at_least(0)
      .also_called({"wd", "l2", "decay"});
  s.add("nesterov", &Params::nesterov, "use Nesterov momentum; needs momentum above 0 and dampening = 0");
  s.rule([](const Params& params) -> std::string {
    if (params.nesterov && (params.momentum == 0 || params.dampening != 0)) {
      return "nesterov = true needs momentum above 0 and dampening = 0";
    }
    return "";
  });
  return s;
}

Sgd::Sgd(const Params& params, const Context& /*context*/) : params_(params) {}

std::unique_ptr<torch::optim::Optimizer> Sgd::build(const std::vector<ParameterGroup>& groups) const {
  const auto options = torch::optim::SGDOptions(params_.learning_rate)
                           .momentum(params_.momentum)
                           .dampening(params_.dampening)
                           .weight_decay(params_.weight_decay)
                           .nesterov(params_.nesterov);
  return std::make_unique<SgdSteps>(with_options(groups, options),
                                    torch::optim::SGDOptions(params_.learning_rate));
}

}  // namespace kindred::optimizers
