#include "adam.h"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>

#include <string>
#include <tuple>

#include "parameter_groups.h"

namespace kindred::optimizers {
namespace {

template <class Params>
Schema<Params> adam_schema(const char* summary, const char* source, const char* decay) {
  Schema<Params> s(summary, source);
  s.add("learning_rate", &Params::learning_rate,
        "base learning rate, multiplied by the schedule and the groups")
      .above(0);
  s.add("betas", &Params::betas,
        "decay rates of the running means of the gradient and of its square; below 1")
      .length(2)
      .range(0, 1);
  s.add("eps", &Params::eps, "added to the denominator").above(0);
  s.add("weight_decay", &Params::weight_decay, decay).at_least(0);
  s.add("amsgrad", &Params::amsgrad, "divide by the largest mean square so far (Reddi et al., ICLR 2018)");
  s.rule([](const Params& params) -> std::string {
    for (const double beta : params.betas) {
      if (beta >= 1) return "betas contains 1, so a running mean would never change; both must be below 1";
    }
    return "";
  });
  return s;
}

template <class LibTorchOptions, class Params>
LibTorchOptions adam_options(const Params& params) {
  return LibTorchOptions(params.learning_rate)
      .betas(std::tuple(params.betas[0], params.betas[1]))
      .eps(params.eps)
      .weight_decay(params.weight_decay)
      .amsgrad(params.amsgrad);
}

}  // namespace

Schema<Adam::Params> Adam::schema() {
  return adam_schema<Params>("Adam, like torch.optim.Adam.", "Kingma, Ba: Adam, ICLR 2015, algorithm 1",
                             "factor of the weight that is added to its gradient; applies to biases too, "
                             "unless a group excludes them");
}

Adam::Adam(const Params& params, const Context& /*context*/) : params_(params) {}

std::unique_ptr<torch::optim::Optimizer> Adam::build(const std::vector<ParameterGroup>& groups) const {
  const auto options = adam_options<torch::optim::AdamOptions>(params_);
  return std::make_unique<torch::optim::Adam>(with_options(groups, options),
                                              torch::optim::AdamOptions(params_.learning_rate));
}

Schema<AdamW::Params> AdamW::schema() {
  return adam_schema<Params>(
      "Adam with decoupled weight decay, like torch.optim.AdamW.",
      "Loshchilov, Hutter: Decoupled Weight Decay Regularization, ICLR 2019, algorithm 2",
      "each step shrinks the weights by this share times the learning rate; applies to biases too, unless a "
      "group excludes them");
}

AdamW::AdamW(const Params& params, const Context& /*context*/) : params_(params) {}

std::unique_ptr<torch::optim::Optimizer> AdamW::build(const std::vector<ParameterGroup>& groups) const {
  const auto options = adam_options<torch::optim::AdamWOptions>(params_);
  return std::make_unique<torch::optim::AdamW>(with_options(groups, options),
                                               torch::optim::AdamWOptions(params_.learning_rate));
}

}  // namespace kindred::optimizers
