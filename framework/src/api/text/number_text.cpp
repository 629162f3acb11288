#include "kindred/text/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace kindred {
namespace {

/// The largest double has 309 digits before its point.
std::string written(double number, std::chars_format format, int digits) {
  std::array<char, 400> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format, digits).ptr;
  return {buffer.data(), end};
}

}  // namespace

std::string fixed_text(double value, int digits) {
  return std::isfinite(value) ? written(value, std::chars_format::fixed, digits) : "-";
}

std::string significant_text(double value, int digits) {
  return written(value, std::chars_format::general, digits);
}

std::string padded_digits(std::int64_t number, std::size_t digits) {
  const auto text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

}  // namespace kindred
