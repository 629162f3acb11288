// The rows that nearest_rows() searches for or among.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "kindred/search/nearest_rows.h"

namespace kindred {

/// With the squared distance |x|^2 + |y|^2 - 2xy = |x|^2 - 2 (xy - |y|^2 / 2), the larger the score
/// xy - |y|^2 / 2, the nearer y is to x.
struct SearchSide {
  torch::Tensor rows;               ///< [N, D], 32-bit floats
  torch::Tensor search_rows;        ///< the same, in the precision and on the device of the search
  std::vector<double> lengths;      ///< [N]
  std::vector<double> residuals;    ///< [N], length of what the search precision loses
  std::vector<float> half_squares;  ///< [N], |y|^2 / 2
  double longest = 0;
  double largest_residual = 0;

  [[nodiscard]] std::int64_t size() const { return rows.size(0); }
  [[nodiscard]] std::int64_t dim() const { return rows.size(1); }
  [[nodiscard]] const float* row(std::int64_t i) const { return rows.data_ptr<float>() + i * dim(); }
};

/// Throws std::logic_error for rows that are not [N, D] of 32-bit floats on the CPU, contiguous, with N > 0,
/// and Error for rows that are not finite or longer than 1e15.
/// @param precision float32 or bfloat16
[[nodiscard]] SearchSide make_search_side(const torch::Tensor& rows, SearchPrecision precision,
                                          torch::Device device);

/// How far the score of a row may be from the truth, for any row of the other side. Cauchy-Schwarz for what
/// rounding the rows loses; for the sums the bound of any order of summation (Higham, Accuracy and Stability
/// of Numerical Algorithms, section 3.1); then the rounding of the product and of the score.
[[nodiscard]] std::vector<float> error_bounds(const SearchSide& side, const SearchSide& other,
                                              SearchPrecision precision);

}  // namespace kindred
