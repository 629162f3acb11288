#include "neighbor_search.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "kindred/core/error.h"

namespace kindred::k_reciprocal {
namespace {

constexpr std::int64_t mib = std::int64_t{1} << 20;
constexpr std::int64_t smallest_block = 128;

/// Bytes that grow with the rows: candidates for the nearest and the farthest, the lists, V twice with some
/// 4 entries a neighbor, and a copy of the rows for the search in bfloat16.
std::int64_t bytes_of_rows(const torch::Tensor& rows, std::int64_t count) {
  return rows.size(0) * (8 * (4 * count + 60) + 8 * 64 + 8 * count + 2 * 8 * 4 * count + 2 * rows.size(1));
}

/// Of all threads.
std::int64_t bytes_of_blocks(std::int64_t block) {
  return at::get_num_threads() * block * block * 4;
}

}  // namespace

NearestRows find_neighbors(const torch::Tensor& rows, const NeighborSearch& search) {
  NearestOptions options;
  options.count = std::max(search.k1 + 1, search.k2);
  options.farthest = true;
  options.precision = search.precision;
  options.device = search.device;
  if (search.host != nullptr) {
    options.progress = [host = search.host](std::int64_t done, std::int64_t total) {
      host->progress("find k-reciprocal neighbors", done, total);
    };
  }

  const auto needed = bytes_of_rows(rows, options.count);
  auto left = search.memory_mib * mib - needed;
  if (left < bytes_of_blocks(smallest_block)) {
    throw ComponentError(search.component,
                         "memory_mib = " + std::to_string(search.memory_mib) + " is too small for " +
                             std::to_string(rows.size(0)) + " descriptors of " +
                             std::to_string(rows.size(1)) + " numbers; allowed are " +
                             std::to_string((needed + bytes_of_blocks(smallest_block)) / mib + 1) +
                             " and more" + search.remedy);
  }
  const auto kept = search.products_of * (rows.size(0) - search.products_of) * 4;
  if (left - kept >= bytes_of_blocks(options.block_rows)) {
    options.products_of = search.products_of;
    left -= kept;
  }
  while (bytes_of_blocks(options.block_rows) > left) options.block_rows /= 2;
  return search.host == nullptr ? nearest_rows(rows, options) : search.host->nearest_rows(rows, options);
}

}  // namespace kindred::k_reciprocal
