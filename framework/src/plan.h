// A recipe resolved against a catalog: every component found, every parameter typed and checked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kindred/catalog.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/backbone.h"
#include "kindred/role/dataset.h"
#include "kindred/role/head.h"
#include "kindred/role/loss.h"
#include "kindred/role/optimizer.h"
#include "kindred/role/sampler.h"
#include "kindred/role/schedule.h"
#include "kindred/value.h"
#include "settings.h"

namespace kindred {

/// A component that a recipe has chosen, with its parameters.
template <class Role>
struct Choice {
  const RoleFactory<Role>* factory = nullptr;
  std::shared_ptr<const void> params;
  Place place;       ///< of the table
  std::string name;  ///< of the entry in a list: its key `name`, or else its `type`

  [[nodiscard]] typename Role::Handle create(const typename Role::Context& context) const {
    return factory->create(params.get(), context);
  }
  /// "role 'type'": for messages
  [[nodiscard]] std::string subject() const {
    return factory->info().role + " '" + factory->info().name + "'";
  }
};

enum class Reduction { sum, mean };

struct LossChoice : Choice<Loss> {
  std::vector<std::string> on;  ///< names of outputs of the head; '*' stands for any characters
  Place on_place;
  double weight = 1.0;
  Reduction reduction = Reduction::sum;  ///< over the outputs it is on
};

/// The recipe's keys: name, seed; tables dataset, sampler, backbone, head, optimizer, schedule (each with
/// `type`); lists of tables augmentation, loss (each entry with `type`, `name`, `enabled`); loader, train,
/// embed, evaluate, machine.
struct Plan {
  std::string name;
  std::uint64_t seed = 1;
  Choice<Dataset> dataset;
  std::vector<Choice<Augmentation>> augmentations;
  Choice<Sampler> sampler;
  Choice<Backbone> backbone;
  Choice<Head> head;
  std::vector<LossChoice> losses;
  Choice<Optimizer> optimizer;
  Choice<Schedule> schedule;
  LoaderSettings loader;
  TrainSettings train;
  EmbedSettings embed;
  EvaluateSettings evaluate;
  MachineSettings machine;

  /// The whole plan as a recipe with every default explicit. make_plan() of it gives the same plan.
  [[nodiscard]] Value frozen() const;
  /// What decides the result of a training: frozen() without [machine], the loader's workers and the like.
  [[nodiscard]] Value identity() const;
};

/// Throws RecipeError with every error found.
[[nodiscard]] Plan make_plan(const Value& recipe, const Catalog& catalog);

}  // namespace kindred
