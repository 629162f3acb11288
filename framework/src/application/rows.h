// Descriptors as applications hand them over.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>

namespace kindred::application {

/// A contiguous tensor [N, D] of a matrix, which has to outlive it where it is contiguous. Throws DataError
/// for another type or length of rows; a column of D numbers is one row.
/// @param what what messages call the matrix
[[nodiscard]] torch::Tensor tensor_of(const cv::Mat& rows, std::int64_t dim, const std::string& what);

/// A copy.
[[nodiscard]] cv::Mat matrix_of(const torch::Tensor& rows);

}  // namespace kindred::application
