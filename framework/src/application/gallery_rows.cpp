#include "application/gallery_rows.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "kindred/search/row_lengths.h"
#include "ranking/similarity.h"

namespace kindred::application {

GalleryRows::GalleryRows(std::int64_t dim, bool in_memory) : dim_(dim), in_memory_(in_memory), memory_(dim) {}

void GalleryRows::read_from(std::unique_ptr<LogReader> log) {
  log_ = std::move(log);
}

void GalleryRows::read_from(std::unique_ptr<LogReader> log, std::vector<std::uint64_t> positions) {
  log_ = std::move(log);
  positions_ = std::move(positions);
  size_ = static_cast<std::int64_t>(positions_.size());
}

void GalleryRows::read_from(std::unique_ptr<file::FeatureReader> features) {
  features_ = std::move(features);
}

void GalleryRows::append(std::uint64_t position, const float* row) {
  if (in_memory_) {
    memory_.append(row);
  } else {
    positions_.push_back(position);
  }
  ++size_;
}

void GalleryRows::cut(std::int64_t size) {
  if (in_memory_) {
    memory_.cut(size);
  } else {
    positions_.resize(static_cast<std::size_t>(size));
  }
  size_ = size;
}

void GalleryRows::drop(std::span<const std::uint8_t> marked) {
  memory_.drop(marked);
  size_ = memory_.size();
}

torch::Tensor GalleryRows::block(std::int64_t first, std::int64_t last) const {
  if (in_memory_) return memory_.block(first, last);
  if (features_) return features_->rows(first, last);
  // In the order of the log, so that one reading gets them all.
  auto rows = torch::empty({last - first, dim_}, torch::kFloat);
  const auto size = static_cast<std::size_t>(dim_) * sizeof(float);
  const auto begin = positions_[static_cast<std::size_t>(first)];
  const auto end = positions_[static_cast<std::size_t>(last - 1)] + size;
  std::vector<char> bytes(static_cast<std::size_t>(end - begin));
  log_->read(begin, bytes.data(), bytes.size());
  auto* to = rows.data_ptr<float>();
  for (auto at = first; at < last; ++at, to += dim_) {
    std::memcpy(to, bytes.data() + (positions_[static_cast<std::size_t>(at)] - begin), size);
  }
  return rows;
}

torch::Tensor GalleryRows::units(std::int64_t first, std::int64_t last) const {
  const auto rows = block(first, last);
  return (features_ ? ranking::unit_rows(rows, "gallery", first) : rows).contiguous();
}

torch::Tensor GalleryRows::gathered(const std::vector<std::int64_t>& rows) const {
  auto all = torch::empty({static_cast<std::int64_t>(rows.size()), dim_}, torch::kFloat);
  auto* to = all.data_ptr<float>();
  for (const auto row : rows) {
    if (in_memory_) {
      std::memcpy(to, memory_.row(row), static_cast<std::size_t>(dim_) * sizeof(float));
    } else {
      const auto one = block(row, row + 1).contiguous();
      std::memcpy(to, one.data_ptr<float>(), one.nbytes());
    }
    to += dim_;
  }
  if (features_) scale_to_unit_length(all);
  return all;
}

ranking::Ranking GalleryRows::rank(const torch::Tensor& queries, std::int64_t top,
                                   std::span<const std::uint8_t> excluded) const {
  ranking::RankingOptions options;
  options.top = top;
  options.unit_gallery = !features_;
  options.excluded = excluded;
  return ranking::rank_gallery(
      queries, size_, dim_, [this](std::int64_t first, std::int64_t last) { return block(first, last); },
      options);
}

}  // namespace kindred::application
