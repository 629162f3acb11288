// Command "check": everything about a recipe that can be known without data or a device.
#pragma once

#include <string>

#include "kindred/core/catalog.h"
#include "kindred/core/value.h"
#include "pipeline/pipeline.h"
#include "recipe/plan.h"

namespace kindred::command {

/// Resolves and checks a recipe of any kind: a pipeline, a recipe of the ranking alone, or one for a model.
/// Returns a summary of one screen; throws RecipeError with every error found, and what building throws.
[[nodiscard]] std::string check_recipe(const Value& recipe, const Catalog& catalog);

/// Checks a recipe that speaks of searching a gallery alone (speaks_of_ranking_alone()), and sums it up.
[[nodiscard]] std::string check_ranking(const recipe::RankingPlan& plan);

/// The same for a pipeline: each stage, what it reads, and the components that it is made of.
[[nodiscard]] std::string check_pipeline(const pipeline::Pipeline& pipeline);

}  // namespace kindred::command
