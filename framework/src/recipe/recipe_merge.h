// How one recipe changes another.
#pragma once

#include <string>

#include "kindred/core/error.h"
#include "kindred/core/value.h"

namespace kindred::recipe {

/// Applies `changes` to `base` by the rule that load_recipe() states. Errors are added to `diagnostics`.
void merge_recipe(Table& base, const Table& changes, Diagnostics& diagnostics);

/// The name of an entry of a list of tables: its key `name`, or else its `type`, or else "".
[[nodiscard]] std::string entry_name(const Value& entry);

}  // namespace kindred::recipe
