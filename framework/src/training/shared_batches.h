// Batches of several data sets together, each of which has its share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace kindred::training {

/// Images that one sampler chooses from.
struct BatchPart {
  double share = 0;  ///< above 0, relative to the other parts'
  /// The batches of one pass over them, as indices of images; passes count from 0, and differ.
  std::function<std::vector<std::vector<std::size_t>>(std::int64_t pass)> batches;
};

/// The batches of an epoch that has as many images as one pass over each part, in batches as large as the
/// largest that a part makes. Each batch takes from the parts, in turn, what their samplers have put
/// together: the images of one identity in one of their batches, and so K images of each identity where the
/// samplers take K. What a part gets over its share or under it in one batch counts in the next, so that over
/// the epoch each has its share to less than one identity. A part of which more is wanted than one pass gives
/// begins another. An identity comes once in a batch while its part has others. A batch may be larger than
/// the others by less than the images of its last identity.
/// @param identities of the images, by their indices; parts have none in common
/// No batch when a part has none.
[[nodiscard]] std::vector<std::vector<std::size_t>> shared_batches(
    const std::vector<BatchPart>& parts, const std::vector<std::int64_t>& identities);

}  // namespace kindred::training
