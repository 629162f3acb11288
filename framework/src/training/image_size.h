// The size of the images that a network is given.
#pragma once

#include <opencv2/core/types.hpp>
#include <optional>

#include "recipe/plan.h"

namespace kindred::training {

/// After all augmentations of a plan, or those that run at test time; nothing where it is that of the data.
/// Throws RecipeError at the augmentation that finds something wrong.
[[nodiscard]] std::optional<cv::Size> image_size(const recipe::ExtractionPlan& plan, bool at_test_time);

}  // namespace kindred::training
