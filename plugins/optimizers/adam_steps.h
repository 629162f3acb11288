// LibTorch's Adam and AdamW with a step for all weights at once.
#pragma once

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>

namespace kindred::optimizers {

/// Their state, and what they save, are those of torch::optim::Adam and AdamW; so are their steps, up to
/// rounding.
class AdamSteps final : public torch::optim::Adam {
 public:
  using torch::optim::Adam::Adam;
  torch::Tensor step(LossClosure closure = nullptr) override;
};

class AdamWSteps final : public torch::optim::AdamW {
 public:
  using torch::optim::AdamW::AdamW;
  torch::Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace kindred::optimizers
