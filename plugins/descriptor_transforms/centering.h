// Descriptors less their mean, and those that have no direction left afterwards.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

namespace kindred::descriptor_transforms {

/// [D], 64-bit floats.
/// @param rows [N, D], N > 0
[[nodiscard]] torch::Tensor mean_row(const torch::Tensor& rows);

/// Rows [first, last) less the mean, 64-bit floats.
[[nodiscard]] torch::Tensor centered_rows(const torch::Tensor& rows, std::int64_t first, std::int64_t last,
                                          const torch::Tensor& mean);

/// Throws ComponentError for the first row of a length below 1e-6, which of rows that had length 1 is what
/// rounding leaves of 0.
/// @param component "post_processor/normalize"
/// @param what what is wrong with such a row and what to do: "equals the mean; leave that image out"
void require_length(const torch::Tensor& rows, const std::string& component, const std::string& what);

/// Rows that are worked on at a time: bounds the 64-bit copies.
inline constexpr std::int64_t rows_at_a_time = 1024;

}  // namespace kindred::descriptor_transforms
