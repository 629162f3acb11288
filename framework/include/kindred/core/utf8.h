// Which bytes are UTF-8, and how text is shown that is not or that a terminal would obey.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "kindred/core/export.h"

namespace kindred {

/// How many bytes the character of UTF-8 at the beginning of a text has; 0 when there is none.
/// @param text not empty
[[nodiscard]] KINDRED_API std::size_t utf8_length(std::string_view text);

/// How many bytes lie before the first one that belongs to no character; all when each does.
[[nodiscard]] KINDRED_API std::size_t utf8_prefix(std::string_view text);

/// Whether a text is valid UTF-8 (Unicode 15, table 3-7). Names of files and texts of lists must be: they end
/// up in JSON and TOML.
[[nodiscard]] KINDRED_API bool is_utf8(std::string_view text);

/// A text for a message: bytes that are not UTF-8, and control characters, as \xNN: "IMG_\xE9.jpg". What is
/// escaped already stays as it is.
[[nodiscard]] KINDRED_API std::string escaped(std::string_view text);

}  // namespace kindred
