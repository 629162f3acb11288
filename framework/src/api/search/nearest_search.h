// The search behind nearest_rows() and nearest_rows_of_share().
#pragma once

#include <torch/types.h>

#include "kindred/search/nearest_rows.h"
#include "kindred/search/nearest_share.h"

namespace kindred {

/// @param gallery nullptr: each row's nearest among the other rows of `query`
[[nodiscard]] NearestRows search_nearest_rows(const torch::Tensor& query, const torch::Tensor* gallery,
                                              const NearestOptions& options, const NearestShare& share);

}  // namespace kindred
