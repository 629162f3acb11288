#include "byte_passes.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <stdexcept>

#include <opencv2/core.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#define KINDRED_AVX2 __attribute__((target("avx2")))
#endif

namespace kindred::transforms {

#if defined(__x86_64__)

namespace {

constexpr int bits_after_point = 22;
constexpr int bits_of_low = 11;
constexpr int rows_at_once = 4;
constexpr std::ptrdiff_t loaded = 8;  ///< bytes, of which a pair of pixels has 6

// Only for processors with AVX2: see has_byte_passes().
namespace avx2 {

/// Sums of the two parts of the weights -> values that are clamped next.
KINDRED_AVX2 inline __m256i values_of(__m256i high, __m256i low) {
  const __m256i half = _mm256_set1_epi32(1 << (bits_after_point - 1));
  const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high, bits_of_low), low), half);
  return _mm256_srai_epi32(sum, bits_after_point);
}

/// Eight bytes of each of two rows.
KINDRED_AVX2 inline __m256i load_two(const std::uint8_t* row, const std::uint8_t* next_row) {
  return _mm256_set_m128i(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(next_row)),
                          _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row)));
}

/// Four rows of the result.
/// @param source four rows, `stride` bytes apart, with `loaded` bytes to spare
KINDRED_AVX2 void four_rows(const std::uint8_t* source, std::ptrdiff_t stride, const ByteTaps& taps,
                            const std::array<std::uint8_t*, rows_at_once>& target) {
  // R R' . G G' . B B' . of two pixels, as 16-bit numbers
  const __m256i spread = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                          0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
  const std::size_t width = taps.first.size();
  const auto* high = taps.high.data();
  const auto* low = taps.low.data();
  for (std::size_t x = 0; x < width; ++x, high += taps.pairs, low += taps.pairs) {
    const std::uint8_t* pixel = source + static_cast<std::ptrdiff_t>(taps.first[x]) * 3;
    __m256i high_a = _mm256_setzero_si256();
    __m256i high_b = _mm256_setzero_si256();
    __m256i low_a = _mm256_setzero_si256();
    __m256i low_b = _mm256_setzero_si256();
    for (int i = 0; i < taps.length[x]; ++i, pixel += 6) {
      const __m256i a = _mm256_shuffle_epi8(load_two(pixel, pixel + stride), spread);
      const __m256i b = _mm256_shuffle_epi8(load_two(pixel + 2 * stride, pixel + 3 * stride), spread);
      const __m256i high_weights = _mm256_set1_epi32(high[i]);
      const __m256i low_weights = _mm256_set1_epi32(low[i]);
      high_a = _mm256_add_epi32(high_a, _mm256_madd_epi16(a, high_weights));
      high_b = _mm256_add_epi32(high_b, _mm256_madd_epi16(b, high_weights));
      low_a = _mm256_add_epi32(low_a, _mm256_madd_epi16(a, low_weights));
      low_b = _mm256_add_epi32(low_b, _mm256_madd_epi16(b, low_weights));
    }
    // Each half holds a pixel of row a and one of row b, four bytes each.
    const __m256i words = _mm256_packs_epi32(values_of(high_a, low_a), values_of(high_b, low_b));
    const __m256i bytes = _mm256_packus_epi16(words, words);
    const __m128i even = _mm256_castsi256_si128(bytes);
    const __m128i odd = _mm256_extracti128_si256(bytes, 1);
    const std::array<int, rows_at_once> pixels = {_mm_cvtsi128_si32(even), _mm_cvtsi128_si32(odd),
                                                  _mm_extract_epi32(even, 1), _mm_extract_epi32(odd, 1)};
    // The fourth byte is written over by the next pixel, but no row's end may reach into another row.
    const std::size_t size = x + 1 < width ? 4 : 3;
    for (std::size_t row = 0; row < rows_at_once; ++row) {
      std::memcpy(target[row] + 3 * x, &pixels[row], size);
    }
  }
}

KINDRED_AVX2 inline __m256i pairs_of(__m128i bytes) {
  return _mm256_cvtepu8_epi16(bytes);
}

/// 16 bytes of a row of the result.
/// @param source in the first row, whose rows are `step` bytes apart; `rows` of them may be read
KINDRED_AVX2 inline void sixteen_bytes(const std::uint8_t* source, std::ptrdiff_t step, int rows,
                                       const std::int32_t* high, const std::int32_t* low, int pairs,
                                       std::uint8_t* target) {
  std::array<__m256i, 2> highs = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  std::array<__m256i, 2> lows = highs;
  for (int i = 0; i < pairs; ++i, source += 2 * step) {
    // The weight of a row beyond the last is 0, whatever stands for it.
    const auto* second = 2 * i + 1 < rows ? source + step : source;
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(source));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(second));
    const __m256i left = pairs_of(_mm_unpacklo_epi8(a, b));
    const __m256i right = pairs_of(_mm_unpackhi_epi8(a, b));
    const __m256i high_weights = _mm256_set1_epi32(high[i]);
    const __m256i low_weights = _mm256_set1_epi32(low[i]);
    highs[0] = _mm256_add_epi32(highs[0], _mm256_madd_epi16(left, high_weights));
    highs[1] = _mm256_add_epi32(highs[1], _mm256_madd_epi16(right, high_weights));
    lows[0] = _mm256_add_epi32(lows[0], _mm256_madd_epi16(left, low_weights));
    lows[1] = _mm256_add_epi32(lows[1], _mm256_madd_epi16(right, low_weights));
  }
  const __m256i words = _mm256_packs_epi32(values_of(highs[0], lows[0]), values_of(highs[1], lows[1]));
  const __m256i in_order = _mm256_permute4x64_epi64(words, 0xD8);
  const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(in_order, in_order), 0xD8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(target), _mm256_castsi256_si128(bytes));
}

KINDRED_AVX2 void one_row(const std::uint8_t* source, std::ptrdiff_t step, int rows, const std::int32_t* high,
                          const std::int32_t* low, int pairs, std::uint8_t* target, std::ptrdiff_t length) {
  std::ptrdiff_t x = 0;
  for (; x + 16 <= length; x += 16) sixteen_bytes(source + x, step, rows, high, low, pairs, target + x);
  if (x == length) return;
  x = length - 16;
  sixteen_bytes(source + x, step, rows, high, low, pairs, target + x);
}

}  // namespace avx2

}  // namespace

bool has_byte_passes() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

cv::Mat byte_columns(const cv::Mat& image, const ByteTaps& taps) {
  cv::Mat result(image.rows, static_cast<int>(taps.first.size()), CV_8UC3);
  // A copy with bytes to spare behind each row, so that no load reaches out of the image.
  const std::ptrdiff_t length = static_cast<std::ptrdiff_t>(image.cols) * 3;
  const std::ptrdiff_t stride = length + loaded;
  std::vector<std::uint8_t> source(static_cast<std::size_t>(stride * rows_at_once));
  std::vector<std::uint8_t> rest(3 * taps.first.size());
  for (int y = 0; y < image.rows; y += rows_at_once) {
    std::array<std::uint8_t*, rows_at_once> target{};
    for (int row = 0; row < rows_at_once; ++row) {
      const bool there = y + row < image.rows;
      if (there) {
        std::memcpy(source.data() + row * stride, image.ptr(y + row), static_cast<std::size_t>(length));
      }
      target[static_cast<std::size_t>(row)] = there ? result.ptr(y + row) : rest.data();
    }
    avx2::four_rows(source.data(), stride, taps, target);
  }
  return result;
}

cv::Mat byte_rows(const cv::Mat& image, const ByteTaps& taps) {
  const auto height = static_cast<int>(taps.first.size());
  cv::Mat result(height, image.cols, CV_8UC3);
  const auto* high = taps.high.data();
  const auto* low = taps.low.data();
  for (int y = 0; y < height; ++y, high += taps.pairs, low += taps.pairs) {
    const int first = taps.first[static_cast<std::size_t>(y)];
    avx2::one_row(image.ptr(first), static_cast<std::ptrdiff_t>(image.step[0]), image.rows - first, high, low,
                  taps.length[static_cast<std::size_t>(y)], result.ptr(y),
                  static_cast<std::ptrdiff_t>(image.cols) * 3);
  }
  return result;
}

#else

bool has_byte_passes() {
  return false;
}

cv::Mat byte_columns(const cv::Mat& /*image*/, const ByteTaps& /*taps*/) {
  throw std::logic_error("this processor has no byte passes");
}

cv::Mat byte_rows(const cv::Mat& /*image*/, const ByteTaps& /*taps*/) {
  throw std::logic_error("this processor has no byte passes");
}

#endif

}  // namespace kindred::transforms
