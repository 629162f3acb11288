// An approximate index of a gallery's descriptors.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "application/gallery_rows.h"
#include "kindred/core/catalog.h"
#include "kindred/role/index.h"
#include "kindred/search.h"

namespace kindred::application {

/// Chooses candidates among all rows of a gallery, whose similarities are then computed exactly. It knows
/// nothing of what was removed: those rows are left out of what it finds.
class ApproximateIndex {
 public:
  /// Rows and their similarities, the most similar first.
  using Found = std::vector<std::pair<std::int64_t, float>>;

  /// Of all rows. Throws RecipeError for a type that there is not, and for a parameter, as a type among them.
  /// @param catalog kept as long as this
  ApproximateIndex(const IndexOptions& options, std::shared_ptr<const Catalog> catalog,
                   const GalleryRows& rows);

  /// Of other rows instead.
  void fill(const GalleryRows& rows);
  /// Rows that have come to the gallery, of length 1.
  void add(const torch::Tensor& units) { index_->add(units); }

  /// At most `top` rows for each query.
  /// @param queries [Q, dim], of length 1
  /// @param removed 1 for each row that was removed
  [[nodiscard]] std::vector<Found> search(const torch::Tensor& queries, std::int64_t top,
                                          const GalleryRows& rows,
                                          std::span<const std::uint8_t> removed) const;

  /// How it does beside exact search, but for the seconds.
  [[nodiscard]] IndexReport measure(const GalleryRows& rows, std::span<const std::uint8_t> removed) const;

 private:
  std::shared_ptr<const Catalog> catalog_;
  IndexOptions options_;
  Index::Handle index_;
};

}  // namespace kindred::application
