// What a plan says of loading images.
#pragma once

#include <memory>
#include <vector>

#include "data/loader.h"
#include "kindred/role/augmentation.h"
#include "recipe/plan.h"

namespace kindred::data {

/// The plan's augmentations, in order.
[[nodiscard]] std::vector<std::unique_ptr<Augmentation>> create_augmentations(
    const recipe::ExtractionPlan& plan);

/// The table [loader] and the seed; workers = 0 becomes the usable processors.
[[nodiscard]] LoaderOptions loader_options(const recipe::ExtractionPlan& plan);

}  // namespace kindred::data
