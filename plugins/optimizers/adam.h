// Adam, and Adam with decoupled weight decay.
#pragma once

#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/optimizer.h"

namespace kindred::optimizers {

/// What weight decay is.
enum class WeightDecay {
  coupled,    ///< L2 regularization: added to the gradient
  decoupled,  ///< shrinks the weights by learning_rate x weight_decay, apart from the gradient's step
};

template <WeightDecay decay>
class AdamOptimizer final : public Optimizer {
 public:
  struct Params {
    double learning_rate = 3.5e-4;
    std::vector<double> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = decay == WeightDecay::coupled ? 5e-4 : 0.01;
    bool amsgrad = false;
  };
  static Schema<Params> schema();

  AdamOptimizer(const Params& params, const Optimizer::Context& context);
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const override;
  [[nodiscard]] double learning_rate() const override { return params_.learning_rate; }

 private:
  Params params_;
};

extern template class AdamOptimizer<WeightDecay::coupled>;
extern template class AdamOptimizer<WeightDecay::decoupled>;

using Adam = AdamOptimizer<WeightDecay::coupled>;
using AdamW = AdamOptimizer<WeightDecay::decoupled>;

}  // namespace kindred::optimizers
