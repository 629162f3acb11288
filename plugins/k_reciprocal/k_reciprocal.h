// Re-ranking with k-reciprocal encoding: Zhong et al., CVPR 2017.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/post_processor.h"
#include "kindred/search/nearest_rows.h"

namespace kindred::k_reciprocal {

/// Final distance (1 - lambda) J(q, g) + lambda d(q, g), with d as in neighbor_encoding.h and the Jaccard
/// distance J = 1 - s / (2 - s), s = sum_j min(V(q, j), V(g, j)) (equations 10 and 12). It lies in [0, 1].
///
/// With Mode::exact the whole of queries and gallery is encoded at once, without a matrix of all distances.
/// With Mode::chunked some queries are encoded at a time, with the images near them; all others follow behind
/// those, at a distance of 1 + d(q, g).
class KReciprocal final : public PostProcessor {
 public:
  enum class Mode { exact, chunked };

  struct Params {
    std::int64_t k1 = 10;
    std::int64_t k2 = 2;
    double lambda = 0.6;
    Mode mode = Mode::exact;
    std::int64_t chunk_queries = 500;
    std::int64_t chunk_nearest = 100;
    SearchPrecision search = SearchPrecision::automatic;
    std::int64_t memory_mib = 1024;
  };
  static Schema<Params> schema();

  KReciprocal(const Params& params, const Context& context);
  [[nodiscard]] Step step() const override { return Step::distances; }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::k_reciprocal
