// Cross entropy with label smoothing: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016,
// section 7.
#pragma once

#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/loss.h"

namespace kindred::cross_entropy {

/// Mean over the batch of -sum_k q_k log softmax(logits)_k, where q is (1 - e) for the right identity plus
/// e / identities for each, the right one too.
class CrossEntropy final : public OutputLoss {
 public:
  struct Params {
    double label_smoothing = 0.0;
  };
  static Schema<Params> schema();

  CrossEntropy(const Params& params, const Context& context);

  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::logits}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override;

 private:
  double label_smoothing_;
};

}  // namespace kindred::cross_entropy
