// The descriptors of a gallery's entries, wherever they lie.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "application/gallery_log.h"
#include "application/memory_rows.h"
#include "file/feature_files.h"
#include "ranking/ranking.h"

namespace kindred::application {

/// Descriptors in the order in which their entries came, those of removed entries too. They are held in
/// memory, or else read from disk whenever they are needed.
class GalleryRows {
 public:
  /// As many as are worth one reading.
  static constexpr std::int64_t at_a_time = 4096;

  /// None.
  /// @param dim length of a descriptor, at least 1
  GalleryRows(std::int64_t dim, bool in_memory);
  /// Where those that are not held in memory lie: their positions are those in this log.
  void read_from(std::unique_ptr<LogReader> log);
  /// The same for other rows instead.
  void read_from(std::unique_ptr<LogReader> log, std::vector<std::uint64_t> positions);
  /// The same for rows of any length in files, whose number they have there.
  void read_from(std::unique_ptr<file::FeatureReader> features);

  /// @param position where in the log it begins; of no meaning for other rows
  /// @param row of length 1; not looked at where rows are not held in memory
  void append(std::uint64_t position, const float* row);
  /// Forgets all rows from `size` on.
  void cut(std::int64_t size);
  /// Of rows in memory: forgets those that are marked, not 0 of one number for each. Needs no memory.
  void drop(std::span<const std::uint8_t> marked);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::int64_t dim() const { return dim_; }
  [[nodiscard]] bool in_memory() const { return in_memory_; }

  /// Rows [first, last), each of length 1 and contiguous. A view of these rows where they lie in one piece.
  [[nodiscard]] torch::Tensor units(std::int64_t first, std::int64_t last) const;
  /// The rows with these numbers, each of length 1.
  [[nodiscard]] torch::Tensor gathered(const std::vector<std::int64_t>& rows) const;

  /// The `top` most similar rows for each query, exactly.
  /// @param queries [Q, dim], of any length but 0
  /// @param excluded 1 for each row that is left out; empty: none
  [[nodiscard]] ranking::Ranking rank(const torch::Tensor& queries, std::int64_t top,
                                      std::span<const std::uint8_t> excluded) const;

 private:
  /// As they lie: of any length where they are read from files of features.
  [[nodiscard]] torch::Tensor block(std::int64_t first, std::int64_t last) const;

  std::int64_t dim_;
  bool in_memory_;
  std::int64_t size_ = 0;
  MemoryRows memory_;
  std::vector<std::uint64_t> positions_;  ///< of rows that are not held in memory
  std::unique_ptr<LogReader> log_;
  std::unique_ptr<file::FeatureReader> features_;
};

}  // namespace kindred::application
