// Tensors of random numbers that are the same on every machine (core/random.h): for initial values and for
// what is drawn in training.
#pragma once

#include <torch/types.h>

#include "kindred/core/export.h"
#include "kindred/core/random.h"

namespace kindred {

/// Normal distribution, 32-bit floats on the CPU, drawn in the order of memory.
[[nodiscard]] KINDRED_API torch::Tensor random_normal(torch::IntArrayRef sizes, RandomStream& random,
                                                      double mean = 0.0, double deviation = 1.0);

/// Uniform in [low, high), likewise. Rounding to 32 bits may give `high` itself.
[[nodiscard]] KINDRED_API torch::Tensor random_uniform(torch::IntArrayRef sizes, RandomStream& random,
                                                       double low = 0.0, double high = 1.0);

}  // namespace kindred
