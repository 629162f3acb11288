// Adam, and Adam with decoupled weight decay.
#pragma once

#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/optimizer.h"

namespace kindred::optimizers {

/// Weight decay is added to the gradient (L2 regularisation).
class Adam final : public Optimizer {
 public:
  struct Params {
    double learning_rate = 3.5e-4;
    std::vector<double> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 5e-4;
    bool amsgrad = false;
  };
  static Schema<Params> schema();

  Adam(const Params& params, const Context& context);
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const override;
  [[nodiscard]] double learning_rate() const override { return params_.learning_rate; }

 private:
  Params params_;
};

/// Weight decay shrinks the weights by learning_rate x weight_decay, apart from the gradient's step.
class AdamW final : public Optimizer {
 public:
  struct Params {
    double learning_rate = 3.5e-4;
    std::vector<double> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 0.01;
    bool amsgrad = false;
  };
  static Schema<Params> schema();

  AdamW(const Params& params, const Context& context);
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const override;
  [[nodiscard]] double learning_rate() const override { return params_.learning_rate; }

 private:
  Params params_;
};

}  // namespace kindred::optimizers
