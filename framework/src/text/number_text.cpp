#include "text/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace kindred::text {
namespace {

template <class Number, class... Format>
std::string written(Number number, Format... format) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format...).ptr;
  return {buffer.data(), end};
}

std::string size_in(double value, int digits, const char* unit) {
  return fixed_text(value, digits) + "\u00a0" + unit;
}

}  // namespace

std::string shortest_text(double value) {
  return written(value);
}

std::string shortest_text(float value) {
  return written(value);
}

std::string percent_text(double share) {
  return std::isfinite(share) ? fixed_text(100 * share, 2) + "\u00a0%" : "-";
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "-";
  if (value == 0) return "0";  // -0 as well
  const double size = std::abs(value);
  if (size >= 9999.5 && size < 1e15) {
    return (value < 0 ? "-" : "") + grouped_digits(static_cast<std::int64_t>(std::llround(size)));
  }
  auto text = significant_text(value, 4);
  if (const auto exponent = text.find('e'); exponent != std::string::npos) {
    const bool small = text[exponent + 1] == '-';
    text.replace(exponent,
                 std::min<std::size_t>(text.find_first_not_of("+-0", exponent + 1), text.size()) - exponent,
                 small ? "e-" : "e");
  }
  return text;
}

std::string rate_text(double per_second) {
  return fixed_text(per_second, per_second < 10 ? 1 : 0);
}

std::string count_text(std::int64_t count) {
  return number_text(static_cast<double>(count));
}

std::string count_text(std::int64_t count, const std::string& thing, const std::string& things) {
  return std::to_string(count) + " " + (count == 1 ? thing : things);
}

std::string grouped_digits(std::int64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string hex_digits(std::uint32_t number) {
  const auto text = written(number, 16);
  return std::string(8 - text.size(), '0') + text;
}

std::string size_text(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes < 1000) return std::to_string(bytes) + "\u00a0B";
  if (value < 999.5e3) return size_in(value / 1e3, 0, "kB");
  if (value < 999.95e6) return size_in(value / 1e6, 1, "MB");
  return size_in(value / 1e9, 1, "GB");
}

}  // namespace kindred::text
