#include "neighbour_search.h"

#include <algorithm>

#include "kindred/error.h"

namespace kindred {
namespace {

/// The largest block of products that the memory leaves room for beside what grows with the rows.
std::int64_t block_rows(std::int64_t rows, std::int64_t width, std::int64_t count,
                        const NeighbourSearch& search) {
  constexpr std::int64_t mib = std::int64_t{1} << 20;
  // Candidates for the nearest and the farthest, the lists, V twice with some 4 entries a neighbour, and a
  // copy of the rows for the search in bfloat16.
  const auto a_row = 8 * (4 * count + 60) + 8 * 64 + 8 * count + 2 * 8 * 4 * count + 2 * width;
  const auto left = search.memory_mib * mib - rows * a_row;
  for (std::int64_t block = 2048; block >= 128; block /= 2) {
    if (block * block * 4 <= left) return block;
  }
  throw ComponentError(search.component,
                       "memory_mib = " + std::to_string(search.memory_mib) + " is too little for " +
                           std::to_string(rows) + " descriptors of " + std::to_string(width) +
                           " numbers; allowed are " + std::to_string(rows * a_row / mib + 2) + " and more" +
                           search.remedy);
}

}  // namespace

NearestRows find_neighbours(const torch::Tensor& rows, const NeighbourSearch& search) {
  NearestOptions options;
  options.count = std::max(search.k1 + 1, search.k2);
  options.farthest = true;
  options.precision = search.precision;
  options.device = search.device;
  options.block_rows = block_rows(rows.size(0), rows.size(1), options.count, search);
  options.progress = search.progress;
  return nearest_rows(rows, options);
}

}  // namespace kindred
