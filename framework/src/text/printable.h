// Text from files that nobody vouches for, made fit for a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kindred::text {

/// The text with everything but printable ASCII replaced by '?', cut behind `most` characters.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 120);

/// escaped() (kindred/core/utf8.h) for a text of several lines: its line breaks and tabs stay. What a
/// name brings along moves no cursor and changes no colors of a terminal.
/// @param indent before each line but the first
[[nodiscard]] std::string escaped_lines(std::string_view text, std::string_view indent = "");

}  // namespace kindred::text
