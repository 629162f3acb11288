// CosFace: Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", CVPR 2018, eq. 4.
#pragma once

#include "angular_softmax.h"
#include "kindred/core/schema.h"

namespace kindred::angular_losses {

/// Cross entropy of s cos(theta_k), where the right identity has s (cos(theta) - m) instead.
class Cosface final : public AngularSoftmax {
 public:
  struct Params {
    double scale = 64.0;
    double margin = 0.35;
  };
  static Schema<Params> schema();

  Cosface(const Params& params, const Context& context);

 private:
  [[nodiscard]] Logits logits(const torch::Tensor& cosines, const torch::Tensor& own) const override;

  double scale_;
  double margin_;
};

}  // namespace kindred::angular_losses
