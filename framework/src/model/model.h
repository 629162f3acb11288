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
#include "model/component_random.h"
#include "recipe/plan.h"

namespace kindred::model {

class MapWatch;

/// Tensors are named "backbone.<block>..." and "head...". Calls of trunk and head are guarded, and what they
/// give is checked (recipe/guarded.h).
class Model : public torch::nn::Module {
 public:
  /// What errors call the components.
  struct Subjects {
    std::string backbone = "the backbone";
    std::string head = "the head";
  };
  /// Throws ComponentFault when the head's outputs have no names of their own or no "descriptor" at the end.
  /// @param randoms what the backbone and the head draw from
  Model(std::shared_ptr<TensorModule> trunk, std::shared_ptr<Head> head, Subjects subjects,
        std::vector<ComponentRandom> randoms = {});
  Model(std::shared_ptr<TensorModule> trunk, std::shared_ptr<Head> head);

  /// Before forward() in each training step: gives backbone and head the random numbers of this step.
  void start_step(std::int64_t epoch, std::int64_t batch);

  /// Images [N, 3, H, W] -> in training one tensor for each of outputs(), in 32-bit floats, in evaluation
  /// {descriptor [N, D]} as the head gives it. Throws ComponentFault when trunk or head give something else.
  [[nodiscard]] std::vector<torch::Tensor> forward(const torch::Tensor& images);
  /// Evaluation mode only: rows of length 1, 32-bit floats [N, D], without a graph for gradients.
  [[nodiscard]] torch::Tensor describe(const torch::Tensor& images);
  [[nodiscard]] std::vector<OutputInfo> outputs() const { return outputs_; }

 private:
  void check_map(const torch::Tensor& map, std::int64_t images) const;
  void check_outputs(const std::vector<torch::Tensor>& outputs, std::int64_t images) const;

  std::shared_ptr<TensorModule> trunk_;
  std::shared_ptr<Head> head_;
  Subjects subjects_;
  std::vector<OutputInfo> outputs_;
  std::vector<ComponentRandom> randoms_;
};

/// Builds the network with random weights that depend on the plan's seed alone, on the CPU, in training mode.
/// Sets the seed of LibTorch's generators and does not restore it. What a component finds wrong is a
/// RecipeError at its table. Files of weights that the plan names are not read: see
/// weights/initial_weights.h.
/// @param prepare is given the backbone before the head takes and copies it
/// @param watch keeps the maps of the network (map_watch.h); for evaluation mode only
[[nodiscard]] std::shared_ptr<Model> build_model(const recipe::InferencePlan& plan, std::int64_t identities,
                                                 const std::function<void(Backbone&)>& prepare = {},
                                                 MapWatch* watch = nullptr);

/// One loss on one output.
struct LossTerm {
  std::string name;    ///< "triplet(g1)"
  std::size_t output;  ///< index into Model::outputs()
  double weight;       ///< the recipe's weight; divided by the number of outputs for Reduction::mean
  std::shared_ptr<Loss> loss;
  std::string subject;     ///< what errors call the loss: ComponentInfo::subject()
  ComponentRandom random;  ///< what it draws from; start_step() before each training step

  /// The loss on the outputs of a batch, a scalar in 32-bit floats. Throws ComponentFault when it gives
  /// something else, or no gradient where the output has one.
  /// @param outputs all of the model
  [[nodiscard]] torch::Tensor value(const std::vector<torch::Tensor>& outputs,
                                    const torch::Tensor& labels) const;
  /// Names of its figures, with the term: "d_ap/triplet(g1)".
  [[nodiscard]] std::vector<std::string> figures() const;
  /// Their values in the last value(), [figures()]; undefined when there are none.
  [[nodiscard]] torch::Tensor figure_values() const;
};

/// Finds the outputs that each loss is on, in the order of its patterns; an output that several of them match
/// is taken once. A loss's own parameters depend on the plan's seed alone. Throws RecipeError (all errors)
/// where a pattern matches no output or an output is of the wrong kind; the message lists the outputs.
[[nodiscard]] std::vector<LossTerm> build_losses(const recipe::Plan& plan,
                                                 const std::vector<OutputInfo>& outputs,
                                                 std::int64_t identities);

}  // namespace kindred::model
