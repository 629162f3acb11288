// Lists of parameters as LibTorch's optimisers take them.
#pragma once

#include <torch/optim/optimizer.h>

#include <vector>

namespace kindred {

inline std::vector<torch::optim::OptimizerParamGroup> parameter_groups(
    const std::vector<std::vector<torch::Tensor>>& lists) {
  return {lists.begin(), lists.end()};
}

}  // namespace kindred
