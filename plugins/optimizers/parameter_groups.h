// Groups of parameters as LibTorch's optimizers take them.
#pragma once

#include <torch/optim/optimizer.h>

#include <memory>
#include <utility>
#include <vector>

#include "kindred/role/optimizer.h"

namespace kindred::optimizers {

/// Each group with the optimizer's options, its weight decay multiplied by the group's factor. The defaults
/// that LibTorch wants beside groups must be its own: in LibTorch 2 an option of a group that is LibTorch's
/// default, such as a weight decay of 0, counts as not given and gives way to them.
template <class Options>
std::vector<torch::optim::OptimizerParamGroup> with_options(const std::vector<ParameterGroup>& groups,
                                                            const Options& options) {
  std::vector<torch::optim::OptimizerParamGroup> made;
  for (const auto& group : groups) {
    auto own = std::make_unique<Options>(options);
    own->weight_decay(options.weight_decay() * group.weight_decay_factor);
    made.emplace_back(group.parameters, std::move(own));
  }
  return made;
}

}  // namespace kindred::optimizers
