// Objects of Python as values of a recipe.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "kindred/core/value.h"

namespace kindred::python {

/// A dict as a table, a list or tuple as a list, a path as text; bool, int, float and str as themselves, and
/// NumPy's bools and numbers as bools and numbers. A key whose value is None is left out. Throws TypeError
/// that names the key of what a recipe cannot hold, and RecipeError of a number beyond 64 bits.
/// @param origin what errors call the place: "kindred.rerank()"
[[nodiscard]] Value recipe_value(const pybind11::dict& settings, const std::string& origin);

}  // namespace kindred::python
