// The data set of a recipe.
#pragma once

#include <memory>
#include <string>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/role/dataset.h"
#include "recipe/component_choice.h"

namespace kindred::data {

/// The data set of a recipe. Where its folder is not of its layout, but another dataset of the catalog knows
/// it, or a folder in it is of that layout, the error of samples() says so. The catalog must outlive it.
[[nodiscard]] std::unique_ptr<Dataset> open_choice(const recipe::Choice<Dataset>& choice,
                                                   const Catalog& catalog);

/// A DataError of the same file that says more after what it says.
[[nodiscard]] DataError with_addition(const DataError& error, const std::string& addition);

}  // namespace kindred::data
