// TOML text -> Value. The only user of toml++.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "kindred/core/value.h"

namespace kindred::recipe {

/// Tables and lists in each other, and the parts of a key: a recipe has six at the most.
inline constexpr std::size_t most_levels = 64;

/// Reads a TOML document; keys keep the order in which they were written. Throws RecipeError at the place
/// that is wrong, also for dates and times, which no recipe needs, and for more than most_levels.
/// @param origin what places call the text: a file's name
[[nodiscard]] Value parse_toml(const std::string& text, const std::string& origin);

/// Reads one TOML value ("3", "[1, 2]", "{ a = true }"); nothing when the text is not exactly one, or has
/// more than most_levels. Everything in it is at `location`. Throws RecipeError for a text with a zero
/// character.
[[nodiscard]] std::optional<Value> parse_toml_value(const std::string& text, const SourceLocation& location);

}  // namespace kindred::recipe
