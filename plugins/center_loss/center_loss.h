// Center loss: Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016,
// section 3.2.
#pragma once

#include <memory>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/loss.h"

namespace kindred::center_loss {

/// Mean over the batch of ||x - c_y||^2, where c_y is the center of the image's identity; each image's
/// distance is clamped to [1e-12, 1e12], and one outside has gradient 0. This is eq. 2 with the mean for half
/// the sum. The centers, drawn from N(0, 1), follow their own gradient descent: unlike eq. 4, an identity's
/// step grows with its number of images in the batch.
///
/// A batch costs O(N x dim), whatever the number of identities: the centers' gradient is sparse and has the
/// N rows of the batch alone, one for each image. Rows without gradient stay as they are, so plain gradient
/// descent of these rows is exact.
class CenterLoss final : public OutputLoss {
 public:
  struct Params {
    double center_learning_rate = 0.5;
  };
  static Schema<Params> schema();

  CenterLoss(const Params& params, const Context& context);

  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override;
  /// Gradient descent without momentum or weight decay, which both would move all centers in each step.
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> own_optimizer() override;

 private:
  double learning_rate_;
  torch::Tensor centers_;  // [identities, dim]
};

}  // namespace kindred::center_loss
