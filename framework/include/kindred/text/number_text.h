// Numbers as text. The locale does not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

/// With so many digits after the point: "63.13"; "-" if it is not finite.
[[nodiscard]] KINDRED_API std::string fixed_text(double value, int digits);
/// With at most so many significant digits, as printf's %g: "0.00035", "1e-05", "1.5", "inf", "nan".
[[nodiscard]] KINDRED_API std::string significant_text(double value, int digits);
/// With zeros before it: "007"; for numbers from 0 on. A longer number is written whole.
[[nodiscard]] KINDRED_API std::string padded_digits(std::int64_t number, std::size_t digits);

}  // namespace kindred
