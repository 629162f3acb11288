// How much room text takes in a terminal.
#pragma once

#include <cstddef>
#include <string_view>

namespace kindred::text {

/// Columns of a terminal: two for a wide character, as those of Chinese, Japanese and Korean are, none for a
/// mark that joins the character before it, else one. The locale does not matter. A byte that is no UTF-8
/// takes one.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The longest beginning that is no wider than so many columns; it ends between two characters.
[[nodiscard]] std::string_view fitting(std::string_view text, std::size_t columns);

}  // namespace kindred::text
