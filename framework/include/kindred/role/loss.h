// Role "loss": a term of what training minimises.
#pragma once

#include <torch/nn/module.h>
#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "kindred/core/export.h"
#include "kindred/nn/output.h"

namespace kindred {

/// A recipe puts a loss on named outputs of the head; each output has an instance of its own, so that a loss
/// with parameters (centres, class weights) never shares them between outputs.
class KINDRED_API Loss : public torch::nn::Module {
 public:
  using Role = Loss;
  using Handle = std::shared_ptr<Loss>;
  static constexpr std::string_view role_name = "loss";

  struct Context {
    std::int64_t dim;         ///< of the output
    std::int64_t identities;  ///< classes in training
  };

  ~Loss() override;

  /// The kind of output that the loss works on.
  [[nodiscard]] virtual OutputKind takes() const = 0;

  /// @param output [N, dim], in 32-bit floats
  /// @param labels [N], int64, class indices from 0
  /// @return a scalar, before the recipe's weight
  [[nodiscard]] virtual torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) = 0;

  /// An optimiser for the loss's own parameters, or nullptr when they join the model's. Its learning rate is
  /// constant, and its gradients are divided by the term's weight before each step, so that the learning rate
  /// does not depend on the weight (Wen et al., ECCV 2016).
  [[nodiscard]] virtual std::unique_ptr<torch::optim::Optimizer> own_optimizer();
};

}  // namespace kindred
