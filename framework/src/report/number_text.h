// Figures as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace kindred::report {

/// A share of 1 as "63.13 %", with a space that does not break; "-" when it is not finite.
[[nodiscard]] std::string percent_text(double share);
/// With so many digits behind the point: "63.13".
[[nodiscard]] std::string fixed_text(double value, int digits);
/// With four significant digits: "52.97", "0.001", "3.4e-5", "12,345"; "-" when it is not finite.
[[nodiscard]] std::string number_text(double value);
/// Bytes as "512 B", "89 kB" or "1.2 MB", of powers of 1000.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace kindred::report
