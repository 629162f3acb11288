// Descriptors of several models, side by side.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/post_processor.h"

namespace kindred::ensemble {

/// Each model's descriptors are scaled to length 1, multiplied by sqrt(w_m / sum w) and put side by side. The
/// cosine of two such rows is the weighted mean of the models' cosines, and so they have length 1. Models may
/// be of different width. Memory: all models' descriptors.
class FeatureEnsemble final : public PostProcessor {
 public:
  struct Params {
    std::vector<std::string> features;
    std::vector<double> weights;
  };
  static Schema<Params> schema();

  FeatureEnsemble(const Params& params, const Context& context);
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  /// Throws DataError as RetrievalHost::descriptors_of() does, and for a descriptor of length 0 or not
  /// finite.
  void apply(Retrieval& retrieval, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::ensemble
