#include "ranking/similarity.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace kindred {
namespace {

constexpr double shortest_row = 1e-30;
constexpr double longest_row = 1e30;

void require_rows(const torch::Tensor& rows) {
  if (rows.dim() != 2 || rows.scalar_type() != torch::kFloat || !rows.device().is_cpu()) {
    throw std::logic_error("descriptors must be [N, D], 32-bit floats on the CPU");
  }
}

/// [N], summed up in 64 bits, so that no length of 32-bit floats is too large or too small to be seen.
torch::Tensor lengths(const torch::Tensor& rows, const std::string& what, std::int64_t first_row) {
  constexpr std::int64_t block = 4096;  // bounds the 64-bit copy
  auto result = torch::empty({rows.size(0)}, torch::kDouble);
  for (std::int64_t first = 0; first < rows.size(0); first += block) {
    const auto last = std::min(first + block, rows.size(0));
    result.slice(0, first, last).copy_(rows.slice(0, first, last).to(torch::kDouble).square().sum(1).sqrt());
  }
  const auto* length = result.data_ptr<double>();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    if (length[i] >= shortest_row && length[i] <= longest_row) continue;
    throw DataError(what,
                    "row " + std::to_string(first_row + i) + " (from 0) " +
                        (length[i] == 0                              ? "is of length 0"
                         : length[i] > 0 && length[i] < shortest_row ? "is shorter than 1e-30"
                                                                     : "is longer than 1e30 or not finite") +
                        ": it has no direction to compare; describe that image again or leave it out");
  }
  return result;
}

}  // namespace

torch::Tensor unit_rows(const torch::Tensor& rows, const std::string& what, std::int64_t first_row) {
  require_rows(rows);
  return rows / lengths(rows, what, first_row).to(torch::kFloat).unsqueeze(1);
}

void require_directions(const torch::Tensor& rows, const std::string& what) {
  require_rows(rows);
  static_cast<void>(lengths(rows, what, 0));
}

DataError width_mismatch(const std::string& query_name, std::int64_t query_width,
                         const std::string& gallery_name, std::int64_t gallery_width) {
  return {gallery_name, "its descriptors are " + std::to_string(gallery_width) + " numbers wide, those of " +
                            query_name + " " + std::to_string(query_width) +
                            ": describe both with the same model"};
}

CosineSimilarity::CosineSimilarity(torch::Tensor query, torch::Tensor gallery, std::string query_name,
                                   const std::string& gallery_name)
    : query_(std::move(query)), gallery_(std::move(gallery)), query_name_(std::move(query_name)) {
  require_directions(query_, query_name_);
  require_rows(gallery_);
  if (query_.size(1) != gallery_.size(1)) {
    throw width_mismatch(query_name_, query_.size(1), gallery_name, gallery_.size(1));
  }
  inverse_lengths_ = lengths(gallery_, gallery_name, 0).reciprocal().to(torch::kFloat);
}

torch::Tensor CosineSimilarity::rows(std::int64_t first, std::int64_t last) const {
  const auto block = unit_rows(query_.slice(0, first, last), query_name_, first);
  return torch::matmul(block, gallery_.t()).mul_(inverse_lengths_);
}

}  // namespace kindred
