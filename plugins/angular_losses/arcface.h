// ArcFace: Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019, eq. 3.
#pragma once

#include "angular_softmax.h"
#include "kindred/core/schema.h"

namespace kindred::angular_losses {

/// Cross entropy of s cos(theta_k), where the right identity has s cos(theta + m) instead. Where theta + m
/// exceeds pi, and the cosine would rise again, it has s (cos(theta) - m sin(m)).
class Arcface final : public AngularSoftmax {
 public:
  struct Params {
    double scale = 64.0;
    double margin = 0.5;
  };
  static Schema<Params> schema();

  Arcface(const Params& params, const Context& context);

 private:
  [[nodiscard]] Logits logits(const torch::Tensor& cosines, const torch::Tensor& own) const override;

  double scale_;
  double margin_;
};

}  // namespace kindred::angular_losses
