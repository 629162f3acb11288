// Numbers as text, beside what plugins have of it. The locale does not matter.
#pragma once

#include <cstdint>
#include <string>

#include "kindred/text/number_text.h"

namespace kindred::text {

using kindred::fixed_text;
using kindred::padded_digits;
using kindred::significant_text;

/// With the fewest digits from which the same number is read again: "0.1", "1e-20", "inf".
[[nodiscard]] std::string shortest_text(double value);
[[nodiscard]] std::string shortest_text(float value);
/// A share of 1 as "63.13 %", with a space that does not break; "-" when it is not finite.
[[nodiscard]] std::string percent_text(double share);
/// For people, with four significant digits: "52.97", "0.001", "3.4e-5", "12,345"; "-" when it is not finite.
[[nodiscard]] std::string number_text(double value);
/// Of things in a second: "334", or with a digit more below ten: "0.4".
[[nodiscard]] std::string rate_text(double per_second);
/// "23,508,032"; for numbers from 0 on.
[[nodiscard]] std::string grouped_digits(std::int64_t number);
/// As number_text(): "237", "12,345".
[[nodiscard]] std::string count_text(std::int64_t count);
/// A number of things as a sentence has it: "1 query", "2 queries".
[[nodiscard]] std::string count_text(std::int64_t count, const std::string& thing, const std::string& things);
/// Eight hexadecimal digits: "00c0ffee".
[[nodiscard]] std::string hex_digits(std::uint32_t number);
/// Bytes as "512 B", "89 kB" or "1.2 MB", of powers of 1000, with a space that does not break.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace kindred::text
