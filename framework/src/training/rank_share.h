// Which images of a batch each rank works on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kindred::training {

/// What batch normalizations need of each rank.
inline constexpr std::size_t fewest_images_of_rank = 2;

/// Of each rank the places in a batch that are its own, ascending; all ranks together have each place once.
/// The images of one identity stay together, and ranks get nearly the same number of images: of P identities
/// with K images each, P / ranks identities, if ranks divides P. A rank has less than two images only where
/// no other division would give each of them two.
/// @param batch indices of images
/// @param labels the class of each image
[[nodiscard]] std::vector<std::vector<std::size_t>> shares_of_ranks(const std::vector<std::size_t>& batch,
                                                                    const std::vector<std::int64_t>& labels,
                                                                    int ranks);

}  // namespace kindred::training
