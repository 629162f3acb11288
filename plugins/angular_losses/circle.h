// Circle loss: Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", CVPR 2020,
// with O_p = 1 + m, O_n = -m, Delta_p = 1 - m and Delta_n = m (section 3.2). The weights alpha are constants
// for the gradient, as in section 3.3.
#pragma once

#include <string>
#include <vector>

#include "angular_softmax.h"
#include "kindred/core/schema.h"

namespace kindred::angular_losses {

struct CircleParams {
  double scale = 256.0;
  double margin = 0.25;
};

/// Learning with pairs (eq. 6). For each anchor, with the cosines s to all other images of the batch,
///   log(1 + sum_n exp(gamma [s_n + m]+ (s_n - m)) x sum_p exp(-gamma [1 + m - s_p]+ (s_p - 1 + m)))
/// over the images n of other identities and p of its own. The loss is the mean over the anchors that have
/// both; without any, it is 0 with gradient 0. Figures: over these anchors, the means of the smallest cosine
/// to a positive, s_p, and of the largest to a negative, s_n.
class Circle final : public OutputLoss {
 public:
  using Params = CircleParams;
  static Schema<Params> schema();

  Circle(const Params& params, const Context& context);

  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override;
  [[nodiscard]] bool needs_pairs() const override { return true; }
  [[nodiscard]] std::vector<std::string> figures() const override { return {"s_p", "s_n"}; }
  [[nodiscard]] torch::Tensor figure_values() const override { return cosines_; }

 private:
  double scale_;
  double margin_;
  torch::Tensor cosines_;  ///< of the last batch: the means of s_p and s_n
};

/// Learning with classes: the same for each image with its cosines to class weights, of which one is of its
/// own identity. That is cross entropy of gamma [s_n + m]+ (s_n - m), where the right identity has
/// gamma [1 + m - s_p]+ (s_p - 1 + m) instead.
class CircleSoftmax final : public AngularSoftmax {
 public:
  using Params = CircleParams;
  static Schema<Params> schema();

  CircleSoftmax(const Params& params, const Context& context);

 private:
  [[nodiscard]] Logits logits(const torch::Tensor& cosines, const torch::Tensor& own) const override;

  double scale_;
  double margin_;
};

}  // namespace kindred::angular_losses
