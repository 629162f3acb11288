// A recipe of several stages, from images to results.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "recipe/recipe_layout.h"
#include "stage/stage.h"

namespace kindred::pipeline {

/// Its keys: `name`; the list of tables stage, whose entries have `name`, `type` and `enabled` and what their
/// type of stage has (stage_types()); [dataset], the data of all stages that have none of their own;
/// [machine], where all are carried out; and [repeat].
///
/// With [repeat] the stages that it names run `rounds` times, one round after the other; in round r the
/// stages are called NAME.r from the second on. Among themselves they read the results of their own round.
/// What they read of a stage that `feed` names they read, from the second round on, of the stage that feed
/// gives for it, as the round before has left it. All other stages read the last round.
struct Pipeline {
  std::string name;  ///< "" when the recipe has none
  recipe::MachineSettings machine;
  std::vector<std::unique_ptr<stage::Stage>> stages;  ///< each behind those that it reads, else as written
  Value recipe;                                       ///< as it was read, with `repeat` carried out

  /// nullptr when there is none.
  [[nodiscard]] const stage::Stage* find(const std::string& stage) const;
  /// A stage and all that read, directly or through others, what it makes.
  [[nodiscard]] std::vector<std::string> dependents(const std::string& stage) const;
};

/// Whether a recipe is one: it has stages.
[[nodiscard]] bool is_pipeline(const Value& recipe);

/// Throws RecipeError with every error found: unknown keys, types and stages, inputs of the wrong type,
/// circles, and all that is wrong with the stages' own recipes; MissingComponentError as make_plan(). The
/// catalog must outlive the pipeline.
[[nodiscard]] Pipeline make_pipeline(const Value& recipe, const Catalog& catalog);

/// The tables of a pipeline, for descriptions: [[stage]] with one inner table for each type, [repeat], and
/// the components of stages.
[[nodiscard]] std::vector<recipe::RecipeTable> pipeline_layout();

}  // namespace kindred::pipeline
