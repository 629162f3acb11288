// Draws with probabilities that change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kindred/core/random.h"

namespace kindred::samplers {

/// Numbers 0, 1, ... are drawn with probabilities proportional to their weights, which are whole numbers. A
/// draw and a change of a weight take O(log n): partial sums in a binary indexed tree (Fenwick 1994).
class WeightedUrn {
 public:
  /// @param weights none below 0
  explicit WeightedUrn(std::vector<std::int64_t> weights);

  /// Some weight must be above 0.
  [[nodiscard]] std::size_t draw(RandomStream& random) const;
  void set(std::size_t number, std::int64_t weight);

 private:
  void add(std::size_t number, std::int64_t difference);

  std::vector<std::int64_t> weights_;
  /// Entry i, from 1, sums the weights of the numbers i - b up to i - 1, with b the lowest bit set in i.
  std::vector<std::int64_t> tree_;
  std::int64_t sum_ = 0;
};

}  // namespace kindred::samplers
