// Pseudo labels by DBSCAN on the k-reciprocal Jaccard distance.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/labeler.h"
#include "kindred/search/nearest_rows.h"

namespace kindred::k_reciprocal {

/// DBSCAN (Ester et al., KDD 1996) over queries and gallery together, with the Jaccard distance
/// J = 1 - s / (2 - s), s = sum_j min(V(a, j), V(b, j)), of the vectors V of neighbor_encoding.h.
///
/// The neighbors of an image are those with J <= eps, the image itself always among them. An image with at
/// least `min_samples` neighbors is a core; cores that are neighbors are of one cluster, and any other
/// image joins, of the clusters of its core neighbors, the one whose first core comes first. That is the
/// result of scikit-learn's DBSCAN on the rows in their order.
///
/// Only pairs that share a column of V are looked at; the distance of all others is 1. Each row's neighbors
/// are worked out twice instead of being kept. Memory beside the search: V twice, and 16 bytes a row and
/// thread.
class DbscanJaccard final : public Labeler {
 public:
  struct Params {
    double eps = 0.6;
    std::int64_t min_samples = 4;
    std::int64_t k1 = 30;
    std::int64_t k2 = 6;
    SearchPrecision search = SearchPrecision::automatic;
    std::int64_t memory_mib = 1024;
  };
  static Schema<Params> schema();

  DbscanJaccard(const Params& params, const Context& context);
  /// Throws ComponentError when min_samples is more than there are images.
  [[nodiscard]] PseudoLabels label(const Retrieval& images, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::k_reciprocal
