// Each image as a sparse vector over the images that its neighbors are near to: Zhang et al., "Understanding
// Image Retrieval Re-Ranking: A Graph Neural Network Perspective", arXiv:2012.07620.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kindred/search/nearest_rows.h"

namespace kindred::gnn_rerank {

/// A sparse matrix by rows, the columns of each in ascending order. Values are above 0.
struct SparseMatrix {
  struct Entry {
    std::int32_t column;
    float value;
  };
  std::vector<std::vector<Entry>> rows;

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

/// M + M^T. M is used up: its rows are given back as they are done.
[[nodiscard]] SparseMatrix symmetric_sum(SparseMatrix&& matrix);

/// [N, N], 1 for the first `k1` of each row, the row itself among them.
[[nodiscard]] SparseMatrix adjacency(const NearestRows& nearest, std::int64_t k1);

/// The messages that an image gets: w(i, j) = max(cos(i, j), 0)^alpha from its first k2, itself among them.
class Messages {
 public:
  /// @param nearest of rows of length 1, at least k2 of each where there are so many
  Messages(const NearestRows& nearest, std::int64_t k2, double alpha);

  /// sum_j w(i, j) value(j)
  template <class Value>
  [[nodiscard]] double gathered(std::int64_t row, const Value& value) const {
    double sum = 0;
    for (auto at = row * count_; at < (row + 1) * count_; ++at) {
      sum += static_cast<double>(weights_[static_cast<std::size_t>(at)]) *
             value(senders_[static_cast<std::size_t>(at)]);
    }
    return sum;
  }

  /// A vector [N] that is mostly 0, in 64 bits.
  class Sum {
   public:
    explicit Sum(std::int64_t size) : values_(static_cast<std::size_t>(size)) {}
    void clear();
    void add(const std::vector<SparseMatrix::Entry>& row, double weight);
    void sort_columns();
    [[nodiscard]] double length() const;
    [[nodiscard]] double operator[](std::int32_t column) const {
      return values_[static_cast<std::size_t>(column)];
    }
    /// Where it is not 0, in the order in which they came, or sorted.
    [[nodiscard]] const std::vector<std::int32_t>& columns() const { return columns_; }

   private:
    std::vector<double> values_;
    std::vector<std::int32_t> columns_;
  };

  /// sum_j w(i, j) M_j
  void collect(std::int64_t row, const SparseMatrix& matrix, Sum& out) const;

 private:
  std::int64_t count_;
  std::vector<std::int32_t> senders_;  ///< [N, count]
  std::vector<float> weights_;         ///< [N, count]
};

/// One layer: each row becomes sum_j w(i, j) M_j, scaled to length 1. When there are more than `most`
/// entries, too_many(entries) is called with how many there are, and must throw.
[[nodiscard]] SparseMatrix propagate(const SparseMatrix& matrix, const Messages& messages, std::int64_t most,
                                     const std::function<void(std::int64_t)>& too_many);

}  // namespace kindred::gnn_rerank
