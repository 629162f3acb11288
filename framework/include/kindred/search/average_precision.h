// Average precision of a ranking.
#pragma once

#include <cstdint>
#include <span>

#include "kindred/core/export.h"

namespace kindred {

/// The mean of the precision at the ranks of the right images, without interpolation. At a depth k only ranks
/// up to k give a precision, and the mean is over as many right images as could stand there: sum / min(n, k).
/// @param ranks of all n right images, from 1, ascending; at least one
/// @param depth 0: all of the ranking
[[nodiscard]] KINDRED_API double average_precision(std::span<const std::int64_t> ranks,
                                                   std::int64_t depth = 0);

}  // namespace kindred
