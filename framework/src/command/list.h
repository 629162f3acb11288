// Command "list": what is there to build a recipe from.
#pragma once

#include <string>

#include "kindred/core/catalog.h"

namespace kindred::command {

/// The components of a role, or of every role, with their plugin and their summary. Throws RecipeError
/// without a place, with the roles that there are, when there is no component of the role.
[[nodiscard]] std::string list_components(const Catalog& catalog, const std::string& role = "");

}  // namespace kindred::command
