// Re-ranking by messages along a graph of neighbors: Zhang et al., arXiv:2012.07620.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/post_processor.h"
#include "kindred/search/nearest_rows.h"

namespace kindred::gnn_rerank {

/// Over queries and gallery together, N rows of length 1:
///   A(i, j) = 1 for j among the first k1 of i, else 0, i itself counted;
///   then `layers` times  B = A + A^T,  A_i = sum of cos(i, j)^alpha B_j over the first k2 of i, itself
///   counted, each A_i scaled to length 1.
/// The distance of q and g is 1 - A_q . A_g, in [0, 1]. "First" is by the cosine, of equal ones by row.
///
/// Where the paper can be read in several ways, its authors' program is followed: A is made symmetric anew in
/// each layer, and an image is among its own k1 and k2. Otherwise than there, k2 = 1 is a layer like any
/// other (the program leaves both layers out then), and a negative cosine weighs nothing (the program squares
/// it).
///
/// Nothing is N x N: rows are sparse, the last layer is never written down. As B is symmetric, A_q . A_g is
/// what g's first k2 have of the vector B A_q, added up and divided by the length.
class GnnRerank final : public PostProcessor {
 public:
  struct Params {
    std::int64_t k1 = 26;
    std::int64_t k2 = 7;
    double alpha = 2;
    std::int64_t layers = 2;
    SearchPrecision search = SearchPrecision::automatic;
    std::int64_t memory_mib = 2048;
  };
  static Schema<Params> schema();

  GnnRerank(const Params& params, const Context& context);
  [[nodiscard]] Step step() const override { return Step::distances; }
  /// Throws ComponentError when the graph needs more than memory_mib, and when k1 is not below the number of
  /// images: everybody would be everybody's neighbor, and all distances 0. Warns of a k1 or k2 of more than
  /// half of the images.
  void apply(Retrieval& retrieval, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::gnn_rerank
