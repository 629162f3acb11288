// nearest_rows() by several processes: for whoever implements RetrievalHost.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>

#include "kindred/core/export.h"
#include "kindred/search/nearest_rows.h"

namespace kindred {

/// One of several shares of the pairs of rows. Which pairs are whose depends on the numbers of rows, on
/// products_of, block_rows, the threads below, and on whether options.device is a CPU: all of them must be
/// the same for all shares.
struct NearestShare {
  std::int64_t part = 0;     ///< from 0
  std::int64_t parts = 1;    ///< at least 1
  std::int64_t threads = 0;  ///< that blocks of rows are made for; 0: LibTorch's in this process
};

/// The nearest of each row among the pairs of one share. Where a row has fewer of them, the list ends with
/// rows -1 at infinite distance; `farthest` is then 0. `products` are 0 where another share computes them,
/// and on the CPU the same bits as nearest_rows() computes with as many threads.
[[nodiscard]] KINDRED_API NearestRows nearest_rows_of_share(const torch::Tensor& rows,
                                                            const NearestOptions& options,
                                                            const NearestShare& share);
[[nodiscard]] KINDRED_API NearestRows nearest_rows_of_share(const torch::Tensor& query,
                                                            const torch::Tensor& gallery,
                                                            const NearestOptions& options,
                                                            const NearestShare& share);

/// What nearest_rows() gives, but for the products, from all shares.
/// @param query, gallery the rows; the same twice for a search within one set
[[nodiscard]] KINDRED_API NearestRows merge_shares(const torch::Tensor& query, const torch::Tensor& gallery,
                                                   std::span<const NearestRows> shares);

}  // namespace kindred
