// Focal loss: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, eq. 4, over a softmax.
#pragma once

#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/loss.h"

namespace kindred::focal {

/// Mean over the batch of -(1 - p)^gamma log p, where p is the softmax of the right identity: images that are
/// classified well already count for less. Gamma 0 is cross entropy.
class Focal final : public OutputLoss {
 public:
  struct Params {
    double gamma = 2.0;
  };
  static Schema<Params> schema();

  Focal(const Params& params, const Context& context);

  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::logits}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override;

 private:
  double gamma_;
};

}  // namespace kindred::focal
