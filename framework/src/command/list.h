// Command "list": what is there to build a recipe from.
#pragma once

#include <string>

#include "kindred/core/catalog.h"

namespace kindred::command {

/// All components by role, with their plugin and their summary.
[[nodiscard]] std::string list_components(const Catalog& catalog);

}  // namespace kindred::command
