// A recipe of several stages, from images to results.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "recipe/plan.h"
#include "recipe/recipe_layout.h"
#include "stage/stage.h"

namespace kindred::pipeline {

/// Its keys: `name`; the list of tables stage, whose entries have `name`, `type` and `enabled` and what their
/// type of stage has (stage_types()); [dataset], the data of all stages that have none of their own;
/// [machine], where all are carried out; [repeat]; and keep_training.
///
/// With [repeat] the stages that it names run `rounds` times, one round after the other; in round r the
/// stages are called NAME.r from the second on. Among themselves they read the results of their own round.
/// What they read of a stage that `feed` names they read, from the second round on, of the stage that feed
/// gives for it, as the round before has left it. All other stages read the last round.
struct Pipeline {
  std::string name;  ///< "" when the recipe has none
  recipe::MachineSettings machine;
  /// A training that has begun is never trained over for another recipe or other images: that is an error.
  bool keep_training = false;
  std::vector<std::unique_ptr<stage::Stage>> stages;  ///< each behind those that it reads, else as written
  Value recipe;                                       ///< as it was read, with `repeat` carried out

  /// nullptr when there is none.
  [[nodiscard]] const stage::Stage* find(const std::string& stage) const;
  /// A stage and all that read, directly or through others, what it makes.
  [[nodiscard]] std::vector<std::string> dependents(const std::string& stage) const;
};

/// Whether a recipe is one: it has stages.
[[nodiscard]] bool is_pipeline(const Value& recipe);

/// A recipe for one model, a plain recipe, as a pipeline: the stages `model` (train) and, of each of
/// test_rankings(), its features (embed) and ranking (rank), with keep_training. Throws as make_plan().
[[nodiscard]] Value pipeline_of_plain_recipe(const Value& recipe, const Catalog& catalog);

/// A data set that a plain recipe is evaluated on after its training.
struct TestRanking {
  std::string name;      ///< of the data set; "" when the recipe has one alone
  std::string features;  ///< the stage with its descriptors
  std::string ranking;   ///< the stage with its rankings
};

/// Those of a plain recipe, in its order: the stages `features` and `ranking` or, where the recipe has
/// several data sets, `features_NAME` and `ranking_NAME` of each.
[[nodiscard]] std::vector<TestRanking> test_rankings(const recipe::DataPlan& plan);

/// The pipeline of a recipe, be it one or plain; see make_pipeline() and pipeline_of_plain_recipe().
[[nodiscard]] Pipeline make_any_pipeline(const Value& recipe, const Catalog& catalog);

/// Throws RecipeError with every error found: unknown keys, types and stages, inputs of the wrong type,
/// circles, and all that is wrong with the stages' own recipes; MissingComponentError as make_plan(). The
/// catalog must outlive the pipeline.
[[nodiscard]] Pipeline make_pipeline(const Value& recipe, const Catalog& catalog);

/// Stage::check() of each stage, or of the one called `only`. Throws RecipeError with every error found, each
/// once; what is no fault of a recipe, such as a damaged file, only where there is none.
void check_stages(const Pipeline& pipeline, const std::string& only = "");

/// The keys of a pipeline that are no tables, for descriptions.
[[nodiscard]] std::vector<ParameterInfo> pipeline_keys();

/// The tables of a pipeline, for descriptions: [[stage]] with one inner table for each type, [repeat], and
/// the components of stages.
[[nodiscard]] std::vector<recipe::RecipeTable> pipeline_layout();

}  // namespace kindred::pipeline
