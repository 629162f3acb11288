// Tieleman, Hinton: "RMSProp", Neural Networks for Machine Learning, lecture 6.5, 2012.
#pragma once

#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/optimizer.h"

namespace my_plugins {

/// LibTorch's RMSprop: each gradient is divided by the root of a moving average of its square.
class RmsProp final : public kindred::Optimizer {
 public:
  struct Params {
    double learning_rate = 1e-4;
    double alpha = 0.99;
    double momentum = 0;
    double weight_decay = 5e-4;
  };
  static kindred::Schema<Params> schema();

  RmsProp(const Params& params, const Context& context);

  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<kindred::ParameterGroup>& groups) const override;
  [[nodiscard]] double learning_rate() const override { return params_.learning_rate; }

 private:
  Params params_;
};

}  // namespace my_plugins
