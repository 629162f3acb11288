// What a plan says of loading images.
#pragma once

#include <cstddef>
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

/// All samples in order, `size` a batch; the last has what is left.
[[nodiscard]] std::vector<std::vector<std::size_t>> consecutive_batches(std::size_t samples,
                                                                        std::size_t size);

}  // namespace kindred::data
