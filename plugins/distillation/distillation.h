// A loss that draws features to those of a teacher: Park et al., "Relational Knowledge Distillation", CVPR
// 2019, equations 4 to 6.
#pragma once

#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/loss.h"

namespace kindred::distillation {

enum class Compare {
  distances,  ///< between the images of a batch; the two outputs may differ in dim
  cosine,     ///< of the two vectors of each image
};

/// On two features of the same images: the one that learns, and the one to follow, which gets no gradient.
///
/// distances: d_ij = |x_i - x_j| / (mean over all pairs, at least 1e-12) of either output; the loss is the
/// mean over all ordered pairs of different images of Huber's function of the difference of the two d_ij:
/// half its square up to 1, its size less a half beyond.
///
/// cosine: the mean over the images of 1 - cos(own, teacher's), half the squared distance of the vectors
/// scaled to length 1.
class Distillation final : public Loss {
 public:
  struct Params {
    Compare compare = Compare::distances;
  };
  static Schema<Params> schema();
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature, OutputKind::feature}; }

  /// Throws ComponentError when the outputs have to have the same dim and do not.
  Distillation(const Params& params, const Context& context);

  [[nodiscard]] torch::Tensor compute(const LossBatch& batch) override;

 private:
  Compare compare_;
};

}  // namespace kindred::distillation
