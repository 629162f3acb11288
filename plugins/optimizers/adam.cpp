#include "adam.h"

#include <string>
#include <tuple>
#include <type_traits>

#include "adam_steps.h"
#include "parameter_groups.h"

namespace kindred::optimizers {

template <WeightDecay decay>
Schema<typename AdamOptimizer<decay>::Params> AdamOptimizer<decay>::schema() {
  constexpr bool coupled = decay == WeightDecay::coupled;
  Schema<Params> s(
      coupled ? "Adam, like torch.optim.Adam." : "Adam with decoupled weight decay, like torch.optim.AdamW.",
      coupled ? "Kingma, Ba: Adam, ICLR 2015, algorithm 1"
              : "Loshchilov, Hutter: Decoupled Weight Decay Regularization, ICLR 2019, "
                "algorithm 2");
  s.add("learning_rate", &Params::learning_rate,
        "base learning rate, multiplied by the schedule and the groups")
      .above(0)
      .also_called({"lr", "base_lr", "initial_lr", "eta"});
  s.add("betas", &Params::betas,
        "decay rates of the running means of the gradient and of its square; below 1")
      .length(2)
      .range(0, 1);
  s.add("eps", &Params::eps, "added to the denominator").above(0);
  s.add("weight_decay", &Params::weight_decay,
        coupled ? "factor of the weight that is added to its gradient; applies to biases too, unless a group "
                  "excludes them"
                : "each step shrinks the weights by this share times the learning rate; applies to biases "
                  "too, unless a group excludes them")
      .at_least(0)
      .also_called({"wd", "l2", "decay"});
  s.add("amsgrad", &Params::amsgrad, "divide by the largest mean square so far (Reddi et al., ICLR 2018)");
  s.rule([](const Params& params) -> std::string {
    for (const double beta : params.betas) {
      if (beta >= 1) return "betas contains 1, so a running mean would never change; both must be below 1";
    }
    return "";
  });
  return s;
}

template <WeightDecay decay>
AdamOptimizer<decay>::AdamOptimizer(const Params& params, const Optimizer::Context& /*context*/)
    : params_(params) {}

template <WeightDecay decay>
std::unique_ptr<torch::optim::Optimizer> AdamOptimizer<decay>::build(
    const std::vector<ParameterGroup>& groups) const {
  constexpr bool coupled = decay == WeightDecay::coupled;
  using Made = std::conditional_t<coupled, AdamSteps, AdamWSteps>;
  using Options = std::conditional_t<coupled, torch::optim::AdamOptions, torch::optim::AdamWOptions>;
  const auto options = Options(params_.learning_rate)
                           .betas(std::tuple(params_.betas[0], params_.betas[1]))
                           .eps(params_.eps)
                           .weight_decay(params_.weight_decay)
                           .amsgrad(params_.amsgrad);
  return std::make_unique<Made>(with_options(groups, options), Options(params_.learning_rate));
}

template class AdamOptimizer<WeightDecay::coupled>;
template class AdamOptimizer<WeightDecay::decoupled>;

}  // namespace kindred::optimizers
