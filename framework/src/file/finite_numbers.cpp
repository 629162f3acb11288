#include "file/finite_numbers.h"

#include <bit>

namespace kindred::file {

bool all_finite(const float* numbers, std::int64_t count) {
  // The exponent of infinite numbers and of NaN, and of no other, has all bits set.
  constexpr std::uint32_t exponent = 0x7F800000;
  std::uint32_t bad = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    bad |= (std::bit_cast<std::uint32_t>(numbers[i]) & exponent) == exponent ? 1 : 0;
  }
  return bad == 0;
}

}  // namespace kindred::file
