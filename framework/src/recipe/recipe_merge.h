// How one recipe changes another.
#pragma once

#include "kindred/core/error.h"
#include "kindred/core/value.h"

namespace kindred::recipe {

/// Applies `changes` to `base` by the rule that load_recipe() states. Errors are added to `diagnostics`.
void merge_recipe(Table& base, const Table& changes, Diagnostics& diagnostics);

}  // namespace kindred::recipe
