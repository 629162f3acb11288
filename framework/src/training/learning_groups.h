// Which parameters learn alike: what [[optimizer.group]] says, applied to the tensors of a model.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/model.h"
#include "recipe/plan.h"

namespace kindred::training {

struct NamedParameter {
  std::string name;
  torch::Tensor tensor;
  /// Blocks of the backbone from its own up to the last one; 0: it belongs to none. A last block of vectors
  /// alone, such as a transformer's final normalization, does not count, as in BEiT (Bao et al., ICLR 2022).
  std::int64_t blocks_from_top = 0;
};

/// Parameters of the model and of losses that the recipe's optimizer trains, and how.
struct LearningGroup {
  std::string name;  ///< the recipe's; "all others" for the last
  double learning_rate_factor = 1;
  double bias_factor = 1;  ///< for biases, times learning_rate_factor
  double weight_decay_factor = 1;
  std::int64_t frozen_epochs = 0;
  std::vector<NamedParameter> parameters;
  double layer_decay = 1;               ///< to the power of NamedParameter::blocks_from_top
  bool weight_decay_on_vectors = true;  ///< false: parameters of one dimension have none

  /// All that multiplies the learning rate of one of its parameters.
  [[nodiscard]] double learning_rate_factor_of(const NamedParameter& parameter) const;
  /// The same for its weight decay.
  [[nodiscard]] double weight_decay_factor_of(const NamedParameter& parameter) const;
};

/// For each term the optimizer of its loss's own, or nullptr. Throws ComponentFault for one that has not the
/// parameters of the loss.
[[nodiscard]] std::vector<std::unique_ptr<torch::optim::Optimizer>> own_optimizers(
    const std::vector<model::LossTerm>& terms);

/// Parts all trained parameters: each goes to the first group of the plan that names it, the others to a last
/// group of their own. Parameters are named as in the weights file, those of losses "loss.<term>.<tensor>",
/// as in "loss.arcface(g1).weight"; those of losses with an optimizer of their own are not parted.
/// Throws RecipeError (all errors) at a pattern that catches nothing, with the names that are near or the
/// groups that have them already, at a layer_decay of parameters that belong to no block of the backbone, at
/// a bias_factor without biases, and when nothing is left to be learned in the first epoch.
/// @param own what own_optimizers() gave for the terms
[[nodiscard]] std::vector<LearningGroup> learning_groups(
    const std::vector<recipe::GroupChoice>& choices, const model::Model& model,
    const std::vector<model::LossTerm>& terms,
    const std::vector<std::unique_ptr<torch::optim::Optimizer>>& own);

/// True for names that end in "bias": what bias_factor is for.
[[nodiscard]] bool is_bias(const std::string& name);

/// What each group caught and how it learns, as a table of text.
[[nodiscard]] std::string groups_text(const std::vector<LearningGroup>& groups);

}  // namespace kindred::training
