// The data set of a recipe.
#pragma once

#include <memory>
#include <string>

#include "kindred/core/error.h"
#include "kindred/role/dataset.h"
#include "recipe/component_choice.h"

namespace kindred::data {

/// The data set of a recipe. Where its folder is not of its layout, but one in that folder is, the error of
/// samples() names it.
[[nodiscard]] std::unique_ptr<Dataset> open_choice(const recipe::Choice<Dataset>& choice);

/// A DataError of the same file that says more after what it says.
[[nodiscard]] DataError with_addition(const DataError& error, const std::string& addition);

}  // namespace kindred::data
