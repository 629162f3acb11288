// What descriptors have to be.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::inference {

/// Throws DataError naming the first image whose descriptor is not of length 1: model::Model::describe()
/// leaves a row of zeros as it is, and nothing can be made of one that is not finite.
/// @param rows [N, D], 32-bit floats on the CPU
/// @param batch N indices into `samples`
void require_unit_rows(const torch::Tensor& rows, const std::vector<Sample>& samples,
                       const std::vector<std::size_t>& batch);

}  // namespace kindred::inference
