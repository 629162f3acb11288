// Role "optimizer": how gradients change the weights.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <memory>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Parameters that are changed alike.
struct ParameterGroup {
  std::vector<torch::Tensor> parameters;
  double weight_decay_factor = 1;  ///< multiplies the optimiser's own weight decay
};

class KINDRED_API Optimizer {
 public:
  using Role = Optimizer;
  using Handle = std::unique_ptr<Optimizer>;
  static constexpr std::string_view role_name = "optimizer";
  struct Context {};

  virtual ~Optimizer();

  /// A LibTorch optimiser with one group of its own for each of `groups`, in their order. It must save and
  /// load its state; the learning rate of each group is set by the caller before every step and need not be
  /// saved. Parameters without a gradient must stay as they are.
  [[nodiscard]] virtual std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const = 0;

  /// The base learning rate, which a schedule's factor and a group's factor multiply.
  [[nodiscard]] virtual double learning_rate() const = 0;
};

}  // namespace kindred
