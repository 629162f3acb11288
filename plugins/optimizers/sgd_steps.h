// LibTorch's SGD with a step for all weights at once.
#pragma once

#include <torch/optim/sgd.h>

namespace kindred::optimizers {

/// Its state, and what it saves, are those of torch::optim::SGD; so are its steps, up to rounding.
class SgdSteps final : public torch::optim::SGD {
 public:
  using torch::optim::SGD::SGD;
  torch::Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace kindred::optimizers
