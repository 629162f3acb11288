#include "report/number_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "text/text_table.h"

namespace kindred::report {
namespace {

std::string printed(const char* format, double value) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

}  // namespace

std::string percent_text(double share) {
  return std::isfinite(share) ? printed("%.2f\u00a0%%", 100 * share) : "-";
}

std::string fixed_text(double value, int digits) {
  std::array<char, 400> buffer{};  // the largest double has 309 digits
  std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  return std::isfinite(value) ? buffer.data() : "-";
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "-";
  if (value == 0) return "0";  // -0 as well
  const double size = std::abs(value);
  if (size >= 9999.5 && size < 1e15) {
    return (value < 0 ? "-" : "") + text::grouped_digits(static_cast<std::int64_t>(std::llround(size)));
  }
  auto text = printed("%.4g", value);
  if (const auto exponent = text.find('e'); exponent != std::string::npos) {
    const bool small = text[exponent + 1] == '-';
    text.replace(exponent,
                 std::min<std::size_t>(text.find_first_not_of("+-0", exponent + 1), text.size()) - exponent,
                 small ? "e-" : "e");
  }
  return text;
}

std::string size_text(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes < 1000) return std::to_string(bytes) + "\u00a0B";
  if (value < 999.5e3) return printed("%.0f\u00a0kB", value / 1e3);
  if (value < 999.95e6) return printed("%.1f\u00a0MB", value / 1e6);
  return printed("%.1f\u00a0GB", value / 1e9);
}

}  // namespace kindred::report
