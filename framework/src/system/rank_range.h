// How work that comes in a row is divided among ranks.
#pragma once

#include <cstdint>

#include "system/ranks.h"

namespace kindred::system {

/// [first, last) of [0, count)
struct RankRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  [[nodiscard]] std::int64_t size() const { return last - first; }
};

/// Those of a rank: consecutive, as many as those of any other but for one, and together all.
[[nodiscard]] inline RankRange range_of_rank(std::int64_t count, const Ranks& ranks) {
  return {count * ranks.rank() / ranks.count(), count * (ranks.rank() + 1) / ranks.count()};
}

}  // namespace kindred::system
