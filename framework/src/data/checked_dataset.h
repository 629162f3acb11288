// Data sets of plugins, with samples that everything after them may rely on.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kindred/core/error.h"
#include "kindred/role/dataset.h"
#include "recipe/component_choice.h"

namespace kindred::data {

/// The data set with samples() that throws ComponentError for a sample without a path, with a path or domain
/// that is not UTF-8 or holds a zero byte, and with an identity or a camera that there cannot be.
/// @param component "dataset/NAME"
/// @param advice asked for when samples() throws DataError for the data set's own folder: what to add to it
[[nodiscard]] std::unique_ptr<Dataset> checked(std::unique_ptr<Dataset> dataset, std::string component,
                                               std::function<std::string()> advice = {});

/// The data set of a recipe, checked. Where its folder is not of its layout, but one in that folder is, the
/// error names it.
[[nodiscard]] std::unique_ptr<Dataset> open_choice(const recipe::Choice<Dataset>& choice);

/// A DataError of the same file that says more after what it says.
[[nodiscard]] DataError with_addition(const DataError& error, const std::string& addition);

}  // namespace kindred::data
