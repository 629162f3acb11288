// Names with '*' for any characters.
#pragma once

#include <string_view>

namespace kindred {

/// '*' stands for any characters, also none; everything else for itself.
[[nodiscard]] bool name_matches(std::string_view pattern, std::string_view name);

}  // namespace kindred
