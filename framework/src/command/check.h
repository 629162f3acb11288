// Command "check": everything about a recipe that can be known without data or a device.
#pragma once

#include <string>

#include "pipeline/pipeline.h"
#include "recipe/plan.h"

namespace kindred::command {

/// Builds the network on the CPU, for two identities or as many as the file has that it starts from, and puts
/// the losses on its outputs. Files of weights are checked where they are there. Returns a summary of one
/// screen; throws what building throws.
[[nodiscard]] std::string check_plan(const recipe::Plan& plan);

/// The same for a recipe that speaks of searching a gallery alone (speaks_of_ranking_alone()).
[[nodiscard]] std::string check_ranking(const recipe::RankingPlan& plan);

/// The same for a pipeline: each stage, what it reads, and the components that it is made of.
[[nodiscard]] std::string check_pipeline(const pipeline::Pipeline& pipeline);

}  // namespace kindred::command
