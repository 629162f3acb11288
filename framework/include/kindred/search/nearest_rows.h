// The nearest rows of each row, exactly, without a matrix of all distances.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Squared Euclidean distance, summed up in 64 bits: 0 for equal rows and the same in both directions. What
/// decides in nearest_rows().
[[nodiscard]] KINDRED_API double squared_distance(const float* a, const float* b, std::int64_t dim);

struct NearestRows {
  std::int64_t count = 0;          ///< K, what was asked for or the number of rows that there are
  std::vector<std::int32_t> rows;  ///< [N, K], nearest first; of equal distances the lower row first
  std::vector<float> distances;    ///< [N, K], squared Euclidean
  std::vector<float> farthest;     ///< [N], the largest squared distance to any row; empty unless asked for
  torch::Tensor products;          ///< [S, N - S], as NearestOptions::products_of asks; else undefined

  [[nodiscard]] std::span<const std::int32_t> of(std::int64_t row) const {
    return {rows.data() + row * count, static_cast<std::size_t>(count)};
  }
  [[nodiscard]] std::span<const float> distances_of(std::int64_t row) const {
    return {distances.data() + row * count, static_cast<std::size_t>(count)};
  }
};

/// In which precision candidates are looked for. The result is the same: each precision has a proven bound of
/// its error, and everything that the bound cannot exclude is compared by squared_distance(). bfloat16 needs
/// a CPU that sums its products up in 32 bits; elsewhere (also on a GPU, which may not) it is float32.
enum class SearchPrecision {
  automatic,  ///< bfloat16 where it is found to be faster, else float32
  float32,
  bfloat16,
};

/// For schemas: 'auto', 'float32' and 'bfloat16'.
[[nodiscard]] KINDRED_API std::vector<std::pair<std::string, SearchPrecision>> search_precision_choices();

struct NearestOptions {
  std::int64_t count = 10;  ///< at least 1
  bool farthest = false;
  /// S: the inner products, in 32 bits on the CPU, of the first S rows with those behind them are kept, for
  /// which the search then costs nothing more. For a search among one set of rows; 0: none.
  std::int64_t products_of = 0;
  SearchPrecision precision = SearchPrecision::automatic;
  torch::Device device = torch::kCPU;  ///< where products are computed
  /// Products with the whole gallery at once, of which the device picks the best: always so on a GPU.
  bool whole_rows = false;
  std::int64_t block_rows = 768;  ///< on the CPU each thread's product is at most of this size squared
  /// In rows, called on the caller's thread; may be empty.
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

/// For each row its nearest rows among all, itself included. On the CPU half of the products suffices, as
/// distances are symmetric. Memory: candidates (about 8 x (4 x count + 60) bytes a row), the result, a
/// block of products for each thread, and for bfloat16 a copy of the rows in half the size.
/// @param rows [N, D], 32-bit floats on the CPU, contiguous, finite
[[nodiscard]] KINDRED_API NearestRows nearest_rows(const torch::Tensor& rows, const NearestOptions& options);

/// For each query its nearest rows of the gallery.
/// @param query [Q, D] and @param gallery [G, D], as above, neither empty
[[nodiscard]] KINDRED_API NearestRows nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                                                   const NearestOptions& options);

}  // namespace kindred
