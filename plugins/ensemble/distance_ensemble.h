// Distances of several models or of several ways of searching, averaged.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/post_processor.h"

namespace kindred::ensemble {

/// The distance of a query and an image becomes sum_m w_m d_m / sum_m w_m, over this search's own distances
/// and those of files. With Scale::none d_m is the distance itself, as winners of competitions add up
/// re-ranked distances, which k_reciprocal's exact mode keeps in [0, 1]. With Scale::row each query's
/// distances are mapped on [0, 1] first, (d - min) / (max - min), for distances of different scales (Lee,
/// SIGIR 1997); where all are equal they are 0.
class DistanceEnsemble final : public PostProcessor {
 public:
  enum class Scale { none, row };

  struct Params {
    std::vector<std::string> distances;
    std::vector<double> weights;
    Scale scale = Scale::none;
  };
  static Schema<Params> schema();

  DistanceEnsemble(const Params& params, const Context& context);
  [[nodiscard]] Step step() const override { return Step::changes_of_distances; }
  /// Throws DataError as RetrievalHost::distances_of() does. The distances throw it for one of a file that is
  /// not finite.
  void apply(Retrieval& retrieval, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::ensemble
