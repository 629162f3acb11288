#include "centering.h"

#include <torch/torch.h>

#include <algorithm>

#include "kindred/core/error.h"
#include "kindred/search/row_lengths.h"

namespace kindred::descriptor_transforms {

torch::Tensor mean_row(const torch::Tensor& rows) {
  auto sum = torch::zeros({rows.size(1)}, torch::kDouble);
  for (std::int64_t first = 0; first < rows.size(0); first += rows_at_a_time) {
    const auto last = std::min(first + rows_at_a_time, rows.size(0));
    sum += rows.slice(0, first, last).to(torch::kDouble).sum(0);
  }
  return sum / static_cast<double>(rows.size(0));
}

torch::Tensor centered_rows(const torch::Tensor& rows, std::int64_t first, std::int64_t last,
                            const torch::Tensor& mean) {
  return rows.slice(0, first, last).to(torch::kDouble) - mean;
}

void require_length(const torch::Tensor& rows, const std::string& component, const std::string& what) {
  constexpr double shortest = 1e-6;
  const auto lengths = row_lengths(rows);
  const auto* length = lengths.data_ptr<double>();
  const auto* end = length + rows.size(0);
  const auto* at = std::find_if(length, end, [](double l) { return l < shortest; });
  if (at == end) return;
  throw ComponentError(component,
                       "row " + std::to_string(at - length) + " (from 0, the queries first) " + what);
}

}  // namespace kindred::descriptor_transforms
