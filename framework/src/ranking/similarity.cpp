#include "ranking/similarity.h"

#include <ATen/Context.h>

#include <stdexcept>
#include <utility>

#include "kindred/search/row_lengths.h"

namespace kindred::ranking {
namespace {

constexpr double shortest_row = 1e-30;
constexpr double longest_row = 1e30;

void require_rows(const torch::Tensor& rows) {
  if (rows.dim() != 2 || rows.scalar_type() != torch::kFloat || !rows.device().is_cpu()) {
    throw std::logic_error("descriptors must be [N, D], 32-bit floats on the CPU");
  }
}

/// [N]
torch::Tensor lengths(const torch::Tensor& rows, const std::string& what, std::int64_t first_row) {
  auto result = row_lengths(rows.contiguous());
  const auto* length = result.data_ptr<double>();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    if (length[i] >= shortest_row && length[i] <= longest_row) continue;
    throw DataError(what,
                    "row " + std::to_string(first_row + i) + " (from 0) " +
                        (length[i] == 0                              ? "has length 0"
                         : length[i] > 0 && length[i] < shortest_row ? "is shorter than 1e-30"
                                                                     : "is longer than 1e30 or not finite") +
                        ", so it has no direction; extract its features again or remove it");
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

torch::Tensor inverse_lengths(const torch::Tensor& rows, const std::string& what, std::int64_t first_row) {
  require_rows(rows);
  return lengths(rows, what, first_row).reciprocal().to(torch::kFloat);
}

DataError dim_mismatch(const std::string& query_name, std::int64_t query_dim, const std::string& gallery_name,
                       std::int64_t gallery_dim) {
  return {gallery_name, "its descriptors have " + std::to_string(gallery_dim) + " numbers, but those of " +
                            query_name + " have " + std::to_string(query_dim) +
                            "; extract both with the same model"};
}

CosineSimilarity::CosineSimilarity(torch::Tensor query, torch::Tensor gallery, std::string query_name,
                                   const std::string& gallery_name, torch::Device device)
    : query_(std::move(query)), gallery_(std::move(gallery)), query_name_(std::move(query_name)) {
  require_directions(query_, query_name_);
  require_rows(gallery_);
  if (query_.size(1) != gallery_.size(1)) {
    throw dim_mismatch(query_name_, query_.size(1), gallery_name, gallery_.size(1));
  }
  inverse_lengths_ = inverse_lengths(gallery_, gallery_name).to(device);
  gallery_ = gallery_.to(device);
}

torch::Tensor CosineSimilarity::rows(std::int64_t first, std::int64_t last) const {
  const auto block = unit_rows(query_.slice(0, first, last), query_name_, first);
  const at::NoTF32Guard all_bits;
  return torch::matmul(block.to(gallery_.device()), gallery_.t()).mul_(inverse_lengths_).to(torch::kCPU);
}

}  // namespace kindred::ranking
