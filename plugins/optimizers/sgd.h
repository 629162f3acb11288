// Stochastic gradient descent with momentum.
#pragma once

#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/optimizer.h"

namespace kindred::optimizers {

class Sgd final : public Optimizer {
 public:
  struct Params {
    double learning_rate = 5e-3;
    double momentum = 0.9;
    double dampening = 0;
    double weight_decay = 5e-4;
    bool nesterov = false;
  };
  static Schema<Params> schema();

  Sgd(const Params& params, const Context& context);
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const override;
  [[nodiscard]] double learning_rate() const override { return params_.learning_rate; }

 private:
  Params params_;
};

}  // namespace kindred::optimizers
