// Components that a recipe lists and that do nothing, by a parameter such as the probability 0.
#pragma once

#include <string>
#include <vector>

#include "recipe/plan.h"

namespace kindred::recipe {

/// A warning for each: "r.toml:12:1: warning: augmentation 'horizontal_flip': with prob = 0 it does nothing;
/// ...".
[[nodiscard]] std::vector<std::string> idle_augmentations(const ExtractionPlan& plan);
[[nodiscard]] std::vector<std::string> idle_post_processors(const RankingPlan& plan);

}  // namespace kindred::recipe
