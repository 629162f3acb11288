// In what a network that takes the weights of a model file differs from that of the file's recipe.
#pragma once

#include <string>

#include "recipe/plan.h"
#include "weights/weights_file.h"

namespace kindred::weights {

/// What the recipe in a model file says otherwise than the plan: "backbone.stem_relu = false (here true)",
/// and so on. Tensors that fit do not tell: strides, poolings and activations have none. Only components of
/// the same type are compared, and no parameters that change nothing. "" where all is the same, and for files
/// without a recipe. Throws RecipeError for a recipe that cannot be read.
/// @param whole the whole network is taken of the file: head and preparation of images are compared, too
[[nodiscard]] std::string recipe_differences(const WeightsFile& file, const recipe::Plan& plan, bool whole);

}  // namespace kindred::weights
