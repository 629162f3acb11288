// Exact nearest neighbors of each row, without a matrix of all distances.
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

/// Squared Euclidean distance, summed in 64 bits: 0 for equal rows, and symmetric. The comparison that
/// nearest_rows() uses.
[[nodiscard]] KINDRED_API double squared_distance(const float* a, const float* b, std::int64_t dim);

struct NearestRows {
  std::int64_t count = 0;          ///< K: the requested number, or the number of rows if there are fewer
  std::vector<std::int32_t> rows;  ///< [N, K], nearest first; the lower row first if distances are equal
  std::vector<float> distances;    ///< [N, K], squared Euclidean
  std::vector<float> farthest;     ///< [N], the largest squared distance to any row; empty unless requested
  torch::Tensor products;          ///< [S, N - S] if NearestOptions::products_of is set; else undefined

  [[nodiscard]] std::span<const std::int32_t> of(std::int64_t row) const {
    return {rows.data() + row * count, static_cast<std::size_t>(count)};
  }
  [[nodiscard]] std::span<const float> distances_of(std::int64_t row) const {
    return {distances.data() + row * count, static_cast<std::size_t>(count)};
  }
};

/// The precision of the search for candidates. It does not change the result: each precision has a proven
/// error bound, and everything that the bound cannot exclude is compared by squared_distance(). bfloat16
/// requires a CPU that accumulates products in 32 bits; elsewhere, including GPUs, float32 is used instead.
enum class SearchPrecision {
  automatic,  ///< bfloat16 if it is measured to be faster, else float32
  float32,
  bfloat16,
};

/// For schemas: 'auto', 'float32' and 'bfloat16'.
[[nodiscard]] KINDRED_API std::vector<std::pair<std::string, SearchPrecision>> search_precision_choices();

struct NearestOptions {
  std::int64_t count = 10;  ///< at least 1
  bool farthest = false;
  /// S: keeps the inner products of the first S rows with all later rows, in 32 bits on the CPU, at no extra
  /// cost. Only for a search within one set of rows; 0: keeps none.
  std::int64_t products_of = 0;
  SearchPrecision precision = SearchPrecision::automatic;
  torch::Device device = torch::kCPU;  ///< where products are computed
  /// Multiplies with the whole gallery at once and selects the best on the device; always done on a GPU.
  bool whole_rows = false;
  std::int64_t block_rows = 768;  ///< on the CPU, the product of each thread is at most this size squared
  /// Counts rows; called on the caller's thread; may be empty.
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

/// The nearest rows of each row among all rows, including itself. On the CPU, half of the products suffice
/// because distances are symmetric. Memory: candidates (about 8 x (4 x count + 60) bytes per row), the
/// result, a block of products for each thread, and for bfloat16 a copy of the rows at half the size.
/// @param rows [N, D], 32-bit floats on the CPU, contiguous, finite
[[nodiscard]] KINDRED_API NearestRows nearest_rows(const torch::Tensor& rows, const NearestOptions& options);

/// The nearest rows of the gallery for each query.
/// @param query [Q, D] and @param gallery [G, D], as above, neither empty
[[nodiscard]] KINDRED_API NearestRows nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                                                   const NearestOptions& options);

}  // namespace kindred
