#include "kindred/search/row_lengths.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>

#include "kindred/core/parallel.h"

namespace kindred {
namespace {

void require_rows(const torch::Tensor& rows) {
  if (rows.dim() != 2 || rows.scalar_type() != torch::kFloat || !rows.device().is_cpu() ||
      !rows.is_contiguous()) {
    throw std::logic_error("row lengths are of rows [N, D], 32-bit floats on the CPU, contiguous");
  }
}

double length_of(const float* row, std::int64_t dim) {
  constexpr std::int64_t lanes = 8;  // sums side by side, for which there are vector instructions
  std::array<double, lanes> sums{};
  std::int64_t i = 0;
  for (; i + lanes <= dim; i += lanes) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const double number = row[i + lane];
      sums[static_cast<std::size_t>(lane)] += number * number;
    }
  }
  for (; i < dim; ++i) sums[0] += static_cast<double>(row[i]) * row[i];
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

}  // namespace

torch::Tensor row_lengths(const torch::Tensor& rows) {
  require_rows(rows);
  auto result = torch::empty({rows.size(0)}, torch::kDouble);
  auto* lengths = result.data_ptr<double>();
  const auto* data = rows.data_ptr<float>();
  const auto dim = rows.size(1);
  parallel_ranges(rows.size(0), [&](std::int64_t first, std::int64_t last) {
    for (auto i = first; i < last; ++i) lengths[i] = length_of(data + i * dim, dim);
  });
  return result;
}

void scale_to_unit_length(const torch::Tensor& rows) {
  require_rows(rows);
  auto* data = rows.data_ptr<float>();
  const auto dim = rows.size(1);
  parallel_ranges(rows.size(0), [&](std::int64_t first, std::int64_t last) {
    for (auto i = first; i < last; ++i) {
      auto* row = data + i * dim;
      const double length = length_of(row, dim);
      if (length == 0) continue;
      for (std::int64_t d = 0; d < dim; ++d)
        row[d] = static_cast<float>(static_cast<double>(row[d]) / length);
    }
  });
}

}  // namespace kindred
