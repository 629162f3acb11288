#include "kindred/search/average_precision.h"

#include <algorithm>

namespace kindred {

double average_precision(std::span<const std::int64_t> ranks, std::int64_t depth) {
  auto counted = static_cast<std::int64_t>(ranks.size());
  if (depth > 0) counted = std::min(counted, depth);
  double precisions = 0;
  for (std::size_t k = 0; k < ranks.size() && (depth == 0 || ranks[k] <= depth); ++k) {
    precisions += static_cast<double>(k + 1) / static_cast<double>(ranks[k]);
  }
  return precisions / static_cast<double>(counted);
}

}  // namespace kindred
