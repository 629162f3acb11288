// Command "list": what is there to build a recipe from.
#pragma once

#include <string>

#include "kindred/catalog.h"

namespace kindred {

/// All components by role, with their plugin and their summary.
[[nodiscard]] std::string list_components(const Catalog& catalog);

}  // namespace kindred
