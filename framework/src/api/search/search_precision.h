// In which precision nearest_rows() looks for candidates.
#pragma once

#include <torch/types.h>

#include "kindred/search/nearest_rows.h"

namespace kindred {

/// What options.precision asks for as far as the device can do it: float32 or bfloat16. `automatic` becomes
/// the faster one, which is tried on some of the rows.
[[nodiscard]] SearchPrecision search_precision_of(const torch::Tensor& rows, const NearestOptions& options);

}  // namespace kindred
