#include "search_side.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "kindred/core/error.h"
#include "kindred/core/parallel.h"

namespace kindred {
namespace {

/// Longer rows would overflow the squares of 32-bit floats.
constexpr double longest_allowed = 1e15;

}  // namespace

SearchSide make_search_side(const torch::Tensor& rows, SearchPrecision precision, torch::Device device) {
  if (rows.dim() != 2 || rows.scalar_type() != torch::kFloat || !rows.device().is_cpu() ||
      !rows.is_contiguous() || rows.size(0) == 0) {
    throw std::logic_error("nearest_rows needs rows [N, D], 32-bit floats on the CPU, contiguous, N > 0");
  }
  SearchSide side;
  side.rows = rows;
  const bool halved = precision == SearchPrecision::bfloat16;
  side.search_rows = rows.to(device, halved ? torch::kBFloat16 : torch::kFloat);
  const auto size = static_cast<std::size_t>(rows.size(0));
  side.lengths.resize(size);
  side.residuals.assign(size, 0);
  side.half_squares.resize(size);
  const auto dim = rows.size(1);
  parallel_ranges(rows.size(0), [&](std::int64_t first, std::int64_t last) {
    for (auto i = first; i < last; ++i) {
      double square = 0;
      double lost = 0;
      const float* row = side.row(i);
      for (std::int64_t d = 0; d < dim; ++d) {
        square += static_cast<double>(row[d]) * static_cast<double>(row[d]);
        if (!halved) continue;
        const double difference =
            static_cast<double>(row[d]) - static_cast<double>(static_cast<float>(at::BFloat16(row[d])));
        lost += difference * difference;
      }
      const auto at = static_cast<std::size_t>(i);
      side.lengths[at] = std::sqrt(square);
      side.residuals[at] = std::sqrt(lost);
      side.half_squares[at] = static_cast<float>(square / 2);
    }
  });
  for (std::size_t i = 0; i < size; ++i) {
    if (!(side.lengths[i] <= longest_allowed)) {
      throw Error("nearest rows: error: row " + std::to_string(i) +
                  " (from 0) is longer than 1e15 or not finite; scale the descriptors to length 1");
    }
    side.longest = std::max(side.longest, side.lengths[i]);
    side.largest_residual = std::max(side.largest_residual, side.residuals[i]);
  }
  return side;
}

std::vector<float> error_bounds(const SearchSide& side, const SearchSide& other, SearchPrecision precision) {
  constexpr double unit = 0x1p-24;
  const double product_rounding = precision == SearchPrecision::bfloat16 ? 0x1p-8 : unit;
  const double terms = static_cast<double>(side.dim()) + 2;
  const double summation = terms * unit / (1 - terms * unit);
  const double half_square = other.longest * other.longest / 2;
  std::vector<float> bounds(side.lengths.size());
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const double length = side.lengths[i] + side.residuals[i];
    const double product = length * (other.longest + other.largest_residual);
    const double error = side.residuals[i] * other.longest + length * other.largest_residual +
                         product * (summation + product_rounding * (1 + summation)) +
                         4 * unit * (product + half_square) + terms * 0x1p-126;
    bounds[i] = std::nextafter(static_cast<float>(1.0001 * error), std::numeric_limits<float>::infinity());
  }
  return bounds;
}

}  // namespace kindred
