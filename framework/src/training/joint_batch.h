// What ranks tell each other before each step of a training, in one exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "system/ranks.h"

namespace kindred::training {

/// What all ranks do before a step as soon as one of them has reason to: a signal reaches one rank earlier
/// than another, and their clocks differ.
struct Wishes {
  bool stop = false;
  bool checkpoint = false;
};

/// A batch as all ranks have it together.
struct JointBatch {
  /// Of each rank, those of its share that it could read: indices of images.
  std::vector<std::vector<std::size_t>> images;
  Wishes wishes;  ///< of any rank

  /// Those of rank 0 first.
  [[nodiscard]] std::vector<std::size_t> all_images() const;
  /// The number of images of each rank.
  [[nodiscard]] std::vector<std::int64_t> sizes() const;
};

/// All ranks call this.
/// @param own images of this rank; none when there is no further batch
/// @param most at least as many as any rank has, the same on all
[[nodiscard]] JointBatch joint_batch(const system::Ranks& ranks, const std::vector<std::size_t>& own,
                                     std::size_t most, Wishes here);

}  // namespace kindred::training
