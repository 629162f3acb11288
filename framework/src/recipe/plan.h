// A recipe resolved against a catalog: every component found, every parameter typed and checked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/catalog.h"
#include "kindred/error.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/backbone.h"
#include "kindred/role/dataset.h"
#include "kindred/role/head.h"
#include "kindred/role/loss.h"
#include "kindred/role/optimizer.h"
#include "kindred/role/sampler.h"
#include "kindred/role/schedule.h"
#include "kindred/value.h"
#include "recipe/settings.h"

namespace kindred {

/// A component that a recipe has chosen, with its parameters.
template <class Role>
struct Choice {
  const RoleFactory<Role>* factory = nullptr;
  std::shared_ptr<const void> params;
  Place place;       ///< of the table
  std::string name;  ///< of the entry in a list: its key `name`, or else its `type`

  /// What the component finds wrong with its parameters is a RecipeError at the table.
  [[nodiscard]] typename Role::Handle create(const typename Role::Context& context) const {
    try {
      return factory->create(params.get(), context);
    } catch (const ComponentError& error) {
      throw RecipeError(place, subject() + ": " + error.reason());
    }
  }
  /// "role 'type'": for messages
  [[nodiscard]] std::string subject() const {
    return factory->info().role + " '" + factory->info().name + "'";
  }
};

struct LossChoice : Choice<Loss> {
  std::vector<std::string> on;  ///< names of outputs of the head; '*' stands for any characters
  Place on_place;
  double weight = 1.0;
  Reduction reduction = Reduction::sum;  ///< over the outputs it is on
};

/// The recipe's keys: `name` and `seed`; the tables dataset, sampler, backbone, head, optimizer and schedule,
/// each with `type` and the parameters of that component, backbone also with `weights` and `weights_sha256`;
/// the lists of tables augmentation and loss, whose entries have `type`, `name` and `enabled` besides, those
/// of loss also `on`, `weight` and `reduction`; the kernel's own tables weights, loader, train, embed,
/// evaluate and machine (settings.h).
///
/// The six tables and one loss are required: nothing that decides a result is left unsaid. A recipe without
/// augmentations, without the kernel's own tables, name or seed is whole. An entry with `enabled = false` is
/// left out, and its type need not exist.
struct Plan {
  std::string name;  ///< "" when the recipe has none
  std::uint64_t seed = 1;
  Choice<Dataset> dataset;
  std::vector<Choice<Augmentation>> augmentations;
  Choice<Sampler> sampler;
  Choice<Backbone> backbone;
  BackboneSettings backbone_start;
  Choice<Head> head;
  std::vector<LossChoice> losses;
  Choice<Optimizer> optimizer;
  Choice<Schedule> schedule;
  WeightsSettings weights;
  Place weights_place;
  LoaderSettings loader;
  TrainSettings train;
  EmbedSettings embed;
  EvaluateSettings evaluate;
  MachineSettings machine;

  /// The whole plan as a recipe with every default explicit. make_plan() of it gives the same plan.
  [[nodiscard]] Value frozen() const;
  /// What decides the result of a training, and nothing else: frozen() without `name`, [machine], [embed],
  /// [evaluate], what [loader] says, how often [train] evaluates and keeps checkpoints, and where files lie:
  /// the data (`dataset.root`), which the samples themselves tell apart, and weights to start from, which
  /// their SHA-256 tells apart (with_hashes_of_weights()).
  [[nodiscard]] Value identity() const;
};

/// A recipe asks for components that are not in the catalog, for instance because their plugin was refused.
class MissingComponentError : public RecipeError {
 public:
  MissingComponentError(std::vector<Diagnostic> diagnostics,
                        std::vector<std::pair<std::string, std::string>> missing);
  MissingComponentError(const MissingComponentError&) = default;
  ~MissingComponentError() override;

  /// Role and name of each, in the order found.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& missing() const { return missing_; }

 private:
  std::vector<std::pair<std::string, std::string>> missing_;
};

/// Throws RecipeError with every error found; when a component is missing, MissingComponentError, which holds
/// the other errors too. The catalog must outlive the plan.
[[nodiscard]] Plan make_plan(const Value& recipe, const Catalog& catalog);

/// The data set of a recipe alone, whatever else the recipe lacks. Throws as make_plan().
[[nodiscard]] Choice<Dataset> choose_dataset(const Value& recipe, const Catalog& catalog);

}  // namespace kindred
