// The network of a plan: the backbone's trunk and the head.
#pragma once

#include <torch/nn/module.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kindred/role/head.h"
#include "kindred/role/loss.h"
#include "recipe/plan.h"

namespace kindred::model {

class MapWatch;

/// Tensors are named "backbone.<block>..." and "head...".
class Model : public torch::nn::Module {
 public:
  /// Throws std::logic_error when the head's outputs have no names of their own or no "descriptor" at the
  /// end.
  Model(std::shared_ptr<TensorModule> trunk, std::shared_ptr<Head> head);

  /// Images [N, 3, H, W] -> in training one tensor for each of outputs(), in 32-bit floats, in evaluation
  /// {descriptor [N, D]} as the head gives it.
  [[nodiscard]] std::vector<torch::Tensor> forward(const torch::Tensor& images);
  /// Evaluation mode only: rows of length 1, 32-bit floats [N, D], without a graph for gradients.
  [[nodiscard]] torch::Tensor describe(const torch::Tensor& images);
  [[nodiscard]] std::vector<OutputInfo> outputs() const { return head_->outputs(); }

 private:
  std::shared_ptr<TensorModule> trunk_;
  std::shared_ptr<Head> head_;
};

/// Builds the network with random weights that depend on the plan's seed alone, on the CPU, in training mode.
/// Sets the seed of LibTorch's generators and does not restore it. What a component finds wrong is a
/// RecipeError at its table. Files of weights that the plan names are not read: see
/// weights/initial_weights.h.
/// @param prepare is given the backbone before the head takes and copies it
/// @param watch keeps the maps of the network (map_watch.h); for evaluation mode only
[[nodiscard]] std::shared_ptr<Model> build_model(const recipe::Plan& plan, std::int64_t identities,
                                                 const std::function<void(Backbone&)>& prepare = {},
                                                 MapWatch* watch = nullptr);

/// One loss on one output.
struct LossTerm {
  std::string name;    ///< "triplet(g1)"
  std::size_t output;  ///< index into Model::outputs()
  double weight;       ///< the recipe's weight; divided by the number of outputs for Reduction::mean
  std::shared_ptr<Loss> loss;
};

/// Finds the outputs that each loss is on, in the order of its patterns; an output that several of them match
/// is taken once. A loss's own parameters depend on the plan's seed alone. Throws RecipeError (all errors)
/// where a pattern matches no output or an output is of the wrong kind; the message lists the outputs.
[[nodiscard]] std::vector<LossTerm> build_losses(const recipe::Plan& plan,
                                                 const std::vector<OutputInfo>& outputs,
                                                 std::int64_t identities);

}  // namespace kindred::model
