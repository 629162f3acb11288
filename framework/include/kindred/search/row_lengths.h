// Lengths of descriptors. The cosine does not depend on them; Euclidean neighbors, means and sums do.
#pragma once

#include <torch/types.h>

#include "kindred/core/export.h"

namespace kindred {

/// The Euclidean length of each row, [N], 64-bit floats, summed in 64 bits, so that no row of 32-bit floats
/// overflows or underflows. Identical to the last bit for any number of threads.
/// @param rows [N, D], 32-bit floats on the CPU, contiguous
[[nodiscard]] KINDRED_API torch::Tensor row_lengths(const torch::Tensor& rows);

/// Divides each row by its length, in place. Afterwards the squared Euclidean distance of two rows is 2 - 2
/// cos, up to rounding. A row of length 0 does not change.
KINDRED_API void scale_to_unit_length(const torch::Tensor& rows);

}  // namespace kindred
