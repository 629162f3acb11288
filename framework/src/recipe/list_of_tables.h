// Lists of tables: what TOML writes as [[name]].
#pragma once

#include <string>

#include "kindred/core/value.h"

namespace kindred::recipe {

/// Whether the value is a list of nothing but tables, and of at least one.
[[nodiscard]] bool is_list_of_tables(const Value& value);

/// The name of an entry of a list of tables: its key `name`, or else its `type`, or else "".
[[nodiscard]] std::string entry_name(const Value& entry);

}  // namespace kindred::recipe
