// Which images of a batch each rank works on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kindred::training {

/// The places in a batch that are a rank's, ascending. The images of one identity stay together, and ranks
/// get nearly the same number of images: of P identities with K images each, P / ranks identities, if ranks
/// divides P. All ranks together have each place once.
/// @param batch indices of images
/// @param labels the class of each image
[[nodiscard]] std::vector<std::size_t> share_of_rank(const std::vector<std::size_t>& batch,
                                                     const std::vector<std::int64_t>& labels, int rank,
                                                     int ranks);

}  // namespace kindred::training
