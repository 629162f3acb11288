// Each image as a sparse vector over its k-reciprocal neighbors: Zhong et al., "Re-ranking Person
// Re-identification with k-reciprocal Encoding", CVPR 2017, sections 3.2 to 3.4.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kindred/search/nearest_rows.h"

namespace kindred::k_reciprocal {

/// Rows of a sparse matrix, the columns of each in ascending order.
class SparseRows {
 public:
  struct Entry {
    std::int32_t column;
    float value;
  };

  SparseRows() = default;  ///< no rows
  explicit SparseRows(std::vector<std::vector<Entry>> rows);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(offsets_.size()) - 1; }
  [[nodiscard]] std::span<const Entry> row(std::int64_t i) const {
    const auto at = static_cast<std::size_t>(i);
    return {entries_.data() + offsets_[at], offsets_[at + 1] - offsets_[at]};
  }
  /// The rows from `first` on, as the columns of the result: entry (column, row - first).
  [[nodiscard]] SparseRows transposed(std::int64_t first, std::int64_t columns) const;

 private:
  std::vector<std::size_t> offsets_ = {0};  ///< [rows + 1]
  std::vector<Entry> entries_;
};

/// The vectors V of all rows [N, N], each summing to 1. With D the squared Euclidean distance and d(i, j) =
/// D(i, j) / max_j D(i, j):
///   R(i) = those j among the first k1 + 1 of i that have i among their own first k1 + 1;
///   R*(i) = R(i) and R_h(j) of each j in R(i) for which |R_h(j) and R(i)| > 2/3 |R_h(j)|, R_h being R with
///   h = k1 / 2, rounded half to even, in place of k1;
///   V(i, j) = exp(-d(i, j)) for j in R*(i), normalized; with k2 > 1 then the mean of V over the first k2 of
///   i.
/// "First" is by distance, of equal distances by row. A row without reciprocal neighbors, as of many equal
/// rows those that come last, has an empty vector.
/// @param rows [N, D]
/// @param nearest of `rows`, at least max(k1 + 1, k2) of each where there are so many, with the farthest
[[nodiscard]] SparseRows encode_neighbors(const torch::Tensor& rows, const NearestRows& nearest,
                                          std::int64_t k1, std::int64_t k2);

}  // namespace kindred::k_reciprocal
