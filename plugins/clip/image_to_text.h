// Second stage of CLIP-ReID: Li et al., AAAI 2023, section 3.3.
#pragma once

#include <torch/types.h>

#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/weights_layout.h"
#include "kindred/role/loss.h"

namespace kindred::clip {

/// Classifies an image feature by the fixed text features of all identities: the cross entropy, with label
/// smoothing, of the logits v t_k (eq. 8; features are not normalized, as in the authors' program).
///
/// The features ("text_features", [identities, dim]) come from a file: what the loss prompt_learning leaves.
class ImageToText final : public OutputLoss {
 public:
  struct Params {
    double label_smoothing = 0.1;
  };
  static Schema<Params> schema();
  static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  static std::vector<WeightsLayout> weights_layouts();

  ImageToText(const Params& params, const Context& context);

  /// Throws ComponentError when there are no text features.
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override;

 private:
  double label_smoothing_;
  torch::Tensor text_features_;  // [identities, dim]; NaN: none yet
  bool is_checked_ = false;
};

}  // namespace kindred::clip
