// The network of a plan: the backbone's trunk and the head.
#pragma once

#include <torch/nn/module.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kindred/nn/activations.h"
#include "kindred/role/backbone.h"
#include "kindred/role/head.h"
#include "kindred/role/loss.h"
#include "model/component_random.h"
#include "model/population.h"
#include "recipe/plan.h"

namespace kindred::model {

class MapWatch;

/// Tensors are named "backbone.<block>..." and "head...". Calls of trunk and head are guarded, and what they
/// give is checked (recipe/guarded.h).
class Model : public torch::nn::Module {
 public:
  /// What is known of the parts beside their modules.
  struct About {
    std::string backbone = "the backbone";  ///< what errors call it
    std::string head = "the head";          ///< likewise
    std::vector<std::string> blocks{};      ///< Backbone::blocks()
    /// Of the backbone's parameters and the head's copies of them, by identity: their place in `blocks`.
    std::map<const void*, std::size_t> block_of{};
    SideInformation side_information{};      ///< Backbone::side_information()
    Population population{1};                ///< what it was built for
    std::vector<ComponentRandom> randoms{};  ///< what the backbone and the head draw from
  };
  /// Throws ComponentFault when the head's outputs have no names of their own or no "descriptor" at the end,
  /// and when a tensor has two names.
  Model(std::shared_ptr<NetworkPart> trunk, std::shared_ptr<Head> head, About about);
  Model(std::shared_ptr<NetworkPart> trunk, std::shared_ptr<Head> head);

  /// Before forward() in each training step, and for each part of a batch that is computed in parts: gives
  /// backbone and head the random numbers of this step.
  void start_step(std::int64_t epoch, std::int64_t batch, std::int64_t part = 0);

  /// Images [N, 3, H, W], with cameras and views where it uses them -> in training one tensor for each of
  /// outputs(), in 32-bit floats, in evaluation {descriptor [N, D]} as the head gives it. Throws
  /// ComponentFault when trunk or head give something else.
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& images);
  /// Evaluation mode only: rows of length 1, 32-bit floats [N, D], without a graph for gradients.
  [[nodiscard]] torch::Tensor describe(const Activations& images);
  [[nodiscard]] std::vector<OutputInfo> outputs() const { return outputs_; }
  [[nodiscard]] const std::vector<std::string>& blocks() const { return about_.blocks; }
  /// The place in blocks() of the block that a parameter belongs to, or the one that it was copied from.
  /// Nothing for what the head has of its own.
  [[nodiscard]] std::optional<std::size_t> block_of(const torch::Tensor& parameter) const;
  [[nodiscard]] const SideInformation& side_information() const { return about_.side_information; }
  [[nodiscard]] const Population& population() const { return about_.population; }
  /// Images are of the data sets whose names head their paths, whatever their cameras were taken to be of:
  /// Population::dataset.
  void find_datasets_in_paths() { about_.population.dataset.reset(); }
  /// Throws DataError for images whose cameras or views it needs and does not know: require_known().
  void require_known(const std::vector<Sample>& samples) const;

 private:
  void check_features(const Activations& features, std::int64_t images) const;
  void check_outputs(const std::vector<torch::Tensor>& outputs, std::int64_t images) const;

  std::shared_ptr<NetworkPart> trunk_;
  std::shared_ptr<Head> head_;
  About about_;
  std::vector<OutputInfo> outputs_;
};

/// Builds the network with random weights that depend on the plan's seed alone, on the CPU, in training mode.
/// Sets the seed of LibTorch's generators and does not restore it. What a component finds wrong is a
/// RecipeError at its table, and so is a head that needs tokens on a backbone that gives a map, and a
/// backbone that uses cameras or views where the population has none. Files of weights that the plan names
/// are not read: see weights/initial_weights.h.
/// @param prepare is given the backbone before the head takes and copies it
/// @param watch keeps the maps of the network (map_watch.h); for evaluation mode only
[[nodiscard]] std::shared_ptr<Model> build_model(const recipe::InferencePlan& plan,
                                                 const Population& population,
                                                 const std::function<void(Backbone&)>& prepare = {},
                                                 MapWatch* watch = nullptr);

/// A population for plans whose data are not looked at: two identities, cameras and views.
[[nodiscard]] Population any_population(std::int64_t identities = 2);

/// One loss on the outputs that it takes together, mostly one.
struct LossTerm {
  std::string name;                  ///< "triplet(g1)"
  std::vector<std::size_t> outputs;  ///< indices into the outputs that it was built for
  double weight;  ///< the recipe's weight; divided by the number of outputs for Reduction::mean
  std::shared_ptr<Loss> loss;
  std::string subject;     ///< what errors call the loss: ComponentInfo::subject()
  ComponentRandom random;  ///< what it draws from; start_step() before each training step

  /// The loss on a batch, a scalar in 32-bit floats. Throws ComponentFault when it gives
  /// something else, or no gradient where an output has one.
  /// @param batch with all outputs, of which it takes its own
  [[nodiscard]] torch::Tensor value(const LossBatch& batch) const;
  /// Names of its figures, with the term: "d_ap/triplet(g1)".
  [[nodiscard]] std::vector<std::string> figures() const;
  /// Their values in the last value(), [figures()]; undefined when there are none.
  [[nodiscard]] torch::Tensor figure_values() const;
};

/// Finds the outputs that each loss is on, in the order of its patterns; an output that several of them match
/// is taken once. A loss that takes several together takes them in that order, and one as often as it is
/// named in full. A teacher's output has to be named in full. A loss's own parameters depend on the plan's
/// seed alone. Throws RecipeError (all errors) where a pattern matches no output, an output is of the wrong
/// kind, the number of outputs is no multiple of those that the loss takes, it is on outputs of teachers
/// alone, a teacher is of no use to any, a loss needs cameras and there are none, or two terms have one name;
/// the message lists the outputs.
[[nodiscard]] std::vector<LossTerm> build_losses(const recipe::Plan& plan,
                                                 const std::vector<OutputInfo>& outputs,
                                                 const Population& population);

}  // namespace kindred::model
