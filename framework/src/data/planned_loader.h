// What a plan says of loading images.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/loader.h"
#include "kindred/core/sample.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/dataset.h"
#include "recipe/plan.h"
#include "system/ranks.h"

namespace kindred::data {

/// The plan's augmentations, in order.
[[nodiscard]] std::vector<std::unique_ptr<Augmentation>> create_augmentations(
    const recipe::ExtractionPlan& plan);

/// The most pixels of an image that the plan lets be decoded, for a PixelLimitScope: loaders of
/// loader_options() have one.
[[nodiscard]] std::int64_t max_pixels(const recipe::ExtractionPlan& plan);

/// The table [loader] and the seed; workers = 0 becomes the usable processors, or a rank's share of them.
/// @param device where the images go: for a GPU the loader makes them in pinned memory
/// @param place of the rank that loads
[[nodiscard]] LoaderOptions loader_options(const recipe::ExtractionPlan& plan,
                                           torch::Device device = torch::kCPU,
                                           const system::RankPlace& place = {});

/// All samples in order, `size` a batch; the last has what is left.
[[nodiscard]] std::vector<std::vector<std::size_t>> consecutive_batches(std::size_t samples,
                                                                        std::size_t size);

/// Decodes one image for each ending that names have, so that a format that cannot be read ends a run where
/// it begins, not at its last image. Does nothing when bad images are skipped. Throws DataError as the data
/// set does, with the number of images that end so.
void try_each_ending(const recipe::ExtractionPlan& plan, const Dataset& dataset,
                     const std::vector<Sample>& samples);

}  // namespace kindred::data
