#include "application/memory_rows.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace kindred::application {
namespace {

/// Of a piece of descriptors in memory, and of what is read from disk at once: as much as a search looks at.
constexpr std::int64_t piece_bytes = 16 << 20;

std::int64_t rows_of_a_piece(std::int64_t dim) {
  return std::max<std::int64_t>(1, piece_bytes / (dim * static_cast<std::int64_t>(sizeof(float))));
}

}  // namespace

MemoryRows::MemoryRows(std::int64_t dim) : dim_(dim), piece_rows_(rows_of_a_piece(dim)) {}

void MemoryRows::append(const float* row) {
  if (size_ == static_cast<std::int64_t>(pieces_.size()) * piece_rows_) {
    pieces_.push_back(std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(piece_rows_ * dim_)));
  }
  const auto bytes = static_cast<std::size_t>(dim_) * sizeof(float);
  std::memcpy(pieces_.back().get() + (size_ % piece_rows_) * dim_, row, bytes);
  ++size_;
}

void MemoryRows::cut(std::int64_t size) {
  size_ = size;
  pieces_.resize(static_cast<std::size_t>((size + piece_rows_ - 1) / piece_rows_));
}

void MemoryRows::drop(std::span<const std::uint8_t> marked) {
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < size_; ++i) {
    if (marked[static_cast<std::size_t>(i)] != 0) continue;
    if (kept != i) std::memcpy(place_of(kept), row(i), static_cast<std::size_t>(dim_) * sizeof(float));
    ++kept;
  }
  cut(kept);
}

const float* MemoryRows::row(std::int64_t row) const {
  return place_of(row);
}

float* MemoryRows::place_of(std::int64_t row) const {
  return pieces_[static_cast<std::size_t>(row / piece_rows_)].get() + (row % piece_rows_) * dim_;
}

torch::Tensor MemoryRows::block(std::int64_t first, std::int64_t last) const {
  const auto count = last - first;
  if (count == 0) return torch::empty({0, dim_}, torch::kFloat);
  if (first / piece_rows_ == (last - 1) / piece_rows_) {
    return torch::from_blob(const_cast<float*>(row(first)), {count, dim_}, torch::kFloat);
  }
  auto copy = torch::empty({count, dim_}, torch::kFloat);
  auto* to = copy.data_ptr<float>();
  for (auto at = first; at < last; ++at, to += dim_) {
    std::memcpy(to, row(at), static_cast<std::size_t>(dim_) * sizeof(float));
  }
  return copy;
}

}  // namespace kindred::application
