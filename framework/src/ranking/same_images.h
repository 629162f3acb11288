// Queries that are in the gallery as well.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::ranking {

/// For each query the gallery images that are the query itself, ascending; empty when no query is in the
/// gallery.
using SameImages = std::vector<std::vector<std::int32_t>>;

/// Two images are one when their paths are equal, and their descriptors up to what rounding does to them: two
/// folders may use the same names for different images.
/// @param query_rows, gallery_rows [Q, D] and [G, D], 32-bit floats on the CPU, of any length
[[nodiscard]] SameImages same_images(const std::vector<Sample>& query, const torch::Tensor& query_rows,
                                     const std::vector<Sample>& gallery, const torch::Tensor& gallery_rows);

/// The same for a gallery that is not in memory.
/// @param gallery_row gives a row, [D], of those whose path is a query's
[[nodiscard]] SameImages same_images(const std::vector<Sample>& query, const torch::Tensor& query_rows,
                                     const std::vector<Sample>& gallery,
                                     const std::function<torch::Tensor(std::int64_t)>& gallery_row);

/// The same for queries that were merged (multi_query.h): what is one of the images of a merged query.
/// @param same of `query`
[[nodiscard]] SameImages merge_same_images(const SameImages& same, const std::vector<Sample>& query,
                                           const std::vector<Sample>& merged);

}  // namespace kindred::ranking
