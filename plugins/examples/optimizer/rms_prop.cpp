#include "rms_prop.h"

#include <torch/optim/rmsprop.h>

#include <utility>

namespace my_plugins {

kindred::Schema<RmsProp::Params> RmsProp::schema() {
  kindred::Schema<Params> s("Divides gradients by the root of their mean square, like torch.optim.RMSprop.",
                            "Tieleman, Hinton, lecture 6.5 of Neural Networks for Machine Learning, 2012");
  s.add("learning_rate", &Params::learning_rate,
        "base learning rate, multiplied by the schedule and the groups")
      .above(0);
  s.add("alpha", &Params::alpha, "share of the mean square that is kept in each step").range(0, 1);
  s.add("momentum", &Params::momentum, "share of the previous step that is kept; 0: no momentum").range(0, 1);
  s.add("weight_decay", &Params::weight_decay, "factor of the weight that is added to its gradient")
      .at_least(0);
  return s;
}

RmsProp::RmsProp(const Params& params, const Context&) : params_(params) {}

std::unique_ptr<torch::optim::Optimizer> RmsProp::build(
    const std::vector<kindred::ParameterGroup>& groups) const {
  std::vector<torch::optim::OptimizerParamGroup> made;
  for (const auto& group : groups) {
    auto options = std::make_unique<torch::optim::RMSpropOptions>(params_.learning_rate);
    options->alpha(params_.alpha).momentum(params_.momentum);
    options->weight_decay(params_.weight_decay * group.weight_decay_factor);
    made.emplace_back(group.parameters, std::move(options));
  }
  return std::make_unique<torch::optim::RMSprop>(std::move(made),
                                                 torch::optim::RMSpropOptions(params_.learning_rate));
}

}  // namespace my_plugins
