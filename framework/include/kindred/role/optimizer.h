// Role "optimizer": changes the weights by their gradients.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <memory>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Parameters that are updated in the same way.
struct ParameterGroup {
  std::vector<torch::Tensor> parameters;
  double weight_decay_factor = 1;  ///< multiplies the weight decay of the optimizer
};

class KINDRED_API Optimizer {
 public:
  using Role = Optimizer;
  using Handle = std::unique_ptr<Optimizer>;
  static constexpr std::string_view role_name = "optimizer";
  struct Context {};

  virtual ~Optimizer();

  /// A LibTorch optimizer with one parameter group for each of `groups`, in order, of the same parameters. It
  /// must save and load its state as LibTorch's own do, with torch::optim::serialize(): tensors, integers,
  /// floating-point numbers and truth values, of parameters or of the optimizer. The caller sets the learning
  /// rate of each group before every step, so it need not be saved. Parameters without a gradient must not
  /// change.
  [[nodiscard]] virtual std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const = 0;

  /// The base learning rate, which is multiplied by the factors of the schedule and the group.
  [[nodiscard]] virtual double learning_rate() const = 0;
};

}  // namespace kindred
