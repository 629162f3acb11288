// The descriptors of a gallery that are kept in memory.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace kindred::application {

/// Rows of floats in pieces that never move.
class MemoryRows {
 public:
  explicit MemoryRows(std::int64_t dim);
  /// Throws std::bad_alloc, and is as it was then.
  void append(const float* row);
  /// Forgets all rows from `size` on.
  void cut(std::int64_t size);
  /// Forgets the rows that are marked, not 0 of one number for each; those behind move up. Needs no memory.
  void drop(std::span<const std::uint8_t> marked);
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const float* row(std::int64_t row) const;
  /// [last - first, dim]; a view where they lie in one piece, valid as long as this.
  [[nodiscard]] torch::Tensor block(std::int64_t first, std::int64_t last) const;

 private:
  [[nodiscard]] float* place_of(std::int64_t row) const;

  std::int64_t dim_;
  std::int64_t piece_rows_;
  std::int64_t size_ = 0;
  std::vector<std::unique_ptr<float[]>> pieces_;
};

}  // namespace kindred::application
