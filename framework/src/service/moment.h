// Points in time as text: ISO 8601, UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kindred::service {

/// "2026-11-24T14:22:42.039Z", or without the milliseconds where there are none.
/// @param milliseconds since 1970
[[nodiscard]] std::string moment_text(std::int64_t milliseconds);

/// What moment_text() gives; the day alone, minutes without seconds, one to nine digits of a second (of which
/// three count), small letters and an offset such as +01:00 are taken too, also with the space that a '+' of
/// a URL becomes. Nothing for anything else.
[[nodiscard]] std::optional<std::int64_t> parse_moment(const std::string& text);

}  // namespace kindred::service
