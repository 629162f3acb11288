// Cosine similarities of descriptors, block by block.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

#include "kindred/core/error.h"

namespace kindred::ranking {

/// Rows of length 1, 32-bit floats, of rows of any length. Throws DataError naming the first row whose length
/// is 0, not finite or outside [1e-30, 1e30]: it has no direction that could be compared.
/// @param rows [N, D], 32-bit floats on the CPU
/// @param what what messages call the rows: a file's name, "query"
/// @param first_row the number of the first row, for messages
[[nodiscard]] torch::Tensor unit_rows(const torch::Tensor& rows, const std::string& what,
                                      std::int64_t first_row = 0);

/// Throws as unit_rows() does.
void require_directions(const torch::Tensor& rows, const std::string& what);

/// 1 / length of each row, [N], for scaling products with rows that are not of length 1. Parameters and
/// errors as those of unit_rows().
[[nodiscard]] torch::Tensor inverse_lengths(const torch::Tensor& rows, const std::string& what,
                                            std::int64_t first_row = 0);

/// What to throw when two sets of descriptors cannot be compared because they are not of the same width.
[[nodiscard]] DataError dim_mismatch(const std::string& query_name, std::int64_t query_dim,
                                     const std::string& gallery_name, std::int64_t gallery_dim);

/// The cosine similarities of query rows with all gallery rows. Neither is copied, but the gallery to a GPU:
/// a block's product is scaled by the lengths afterwards.
class CosineSimilarity {
 public:
  /// @param query [Q, D] and @param gallery [G, D], 32-bit floats on the CPU. Throws DataError when the
  /// widths differ, or for a row as unit_rows() does.
  /// @param device where products are computed, in 32 bits
  CosineSimilarity(torch::Tensor query, torch::Tensor gallery, std::string query_name = "query",
                   const std::string& gallery_name = "gallery", torch::Device device = torch::kCPU);

  /// Rows [first, last) of the query: [last - first, G], on the CPU.
  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t last) const;

 private:
  torch::Tensor query_;
  torch::Tensor gallery_;          // on the device
  torch::Tensor inverse_lengths_;  // of the gallery's rows, [G], on the device
  std::string query_name_;
};

}  // namespace kindred::ranking
