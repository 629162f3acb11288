// Looks through products of rows for scores that are good enough: nearly none are, so many are compared at a
// time. A score is a product minus half the squared length of the row that may be near (search_side.h).
#pragma once

#include <c10/util/BFloat16.h>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace kindred {

inline float widened(float value) {
  return value;
}
inline float widened(at::BFloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.x) << 16U);
}

/// Elements that are compared before any of them is looked at.
inline constexpr std::int64_t scan_chunk = 128;

/// Products of one row with columns: calls found(column, score) for scores above or below what the row asks.
template <class T, class Found>
void scan_for_row(const T* products, const float* half_squares, std::int64_t columns, const float& above,
                  const float& below, const Found& found) {
  for (std::int64_t first = 0; first < columns; first += scan_chunk) {
    const auto count = std::min(scan_chunk, columns - first);
    const T* p = products + first;
    const float* h = half_squares + first;
    const float high = above;
    const float low = below;
    std::int32_t hits = 0;
    for (std::int64_t j = 0; j < count; ++j) {
      const float score = widened(p[j]) - h[j];
      hits += static_cast<std::int32_t>(score > high) | static_cast<std::int32_t>(score < low);
    }
    if (hits == 0) continue;
    for (std::int64_t j = 0; j < count; ++j) {
      const float score = widened(p[j]) - h[j];
      if (score > above || score < below) found(first + j, score);
    }
  }
}

/// The same products seen from the columns: found(column, score) for scores above or below what each column
/// asks.
template <class T, class Found>
void scan_for_columns(const T* products, float half_square, std::int64_t columns, const float* above,
                      const float* minus_below, const Found& found) {
  for (std::int64_t first = 0; first < columns; first += scan_chunk) {
    const auto count = std::min(scan_chunk, columns - first);
    const T* p = products + first;
    const float* high = above + first;
    const float* low = minus_below + first;
    std::int32_t hits = 0;
    for (std::int64_t j = 0; j < count; ++j) {
      const float score = widened(p[j]) - half_square;
      hits += static_cast<std::int32_t>(score > high[j]) | static_cast<std::int32_t>(-score > low[j]);
    }
    if (hits == 0) continue;
    for (std::int64_t j = 0; j < count; ++j) {
      const float score = widened(p[j]) - half_square;
      if (score > high[j] || -score > low[j]) found(first + j, score);
    }
  }
}

}  // namespace kindred
