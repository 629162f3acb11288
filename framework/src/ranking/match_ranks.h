// Where the right images stand in a ranking, without sorting the gallery.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kindred::ranking {

/// The ranks, from 1 and ascending, of some gallery images when the gallery is put in order of distance,
/// equal distances in the order of the gallery, and the removed images are left out. No distance may be NaN.
/// @param distances of one query to every gallery image
/// @param matches gallery indices of the right images; none is among `removed`
/// @param removed gallery indices, each once
[[nodiscard]] std::vector<std::int64_t> match_ranks(std::span<const float> distances,
                                                    std::span<const std::int32_t> matches,
                                                    std::span<const std::int32_t> removed);

namespace detail {

/// The two ways of doing it, which give the same; match_ranks() takes the faster. Both take all of the
/// gallery as ranked and give for each match, in the order given, the number of images before it. Vectorized
/// comparisons, G for each match.
[[nodiscard]] std::vector<std::int64_t> count_before_each(std::span<const float> distances,
                                                          std::span<const std::int32_t> matches);
/// A binary search among the matches for each of the gallery's images.
[[nodiscard]] std::vector<std::int64_t> count_before_all(std::span<const float> distances,
                                                         std::span<const std::int32_t> matches);

}  // namespace detail
}  // namespace kindred::ranking
