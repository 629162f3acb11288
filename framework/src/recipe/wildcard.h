// Patterns of names, as recipes and the command line have them.
#pragma once

#include <string_view>

namespace kindred::recipe {

/// '*' stands for any characters, also none; everything else for itself.
[[nodiscard]] bool matches_wildcard(std::string_view pattern, std::string_view text);

}  // namespace kindred::recipe
