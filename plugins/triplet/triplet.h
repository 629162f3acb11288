// Batch-hard triplet loss: Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification",
// 2017, eq. 5.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/loss.h"

namespace kindred::triplet {

/// For each anchor the farthest image of its identity and the nearest of another, by Euclidean distance of
/// the vectors as they are: d = sqrt(max(sum of squared differences, 1e-12)). The loss is the mean of
/// max(0, d_ap - d_an + margin), or with margin 0 of log(1 + exp(d_ap - d_an)), the soft margin. An anchor
/// without another image of its identity, or without one of another identity, has no triplet and does not
/// count in the mean; a batch without any triplet has loss 0 and gradient 0. Figures: the means of d_ap and
/// d_an over the anchors that count.
class Triplet final : public OutputLoss {
 public:
  struct Params {
    double margin = 1.0;
  };
  static Schema<Params> schema();

  Triplet(const Params& params, const Context& context);

  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override;
  [[nodiscard]] bool needs_pairs() const override { return true; }
  [[nodiscard]] std::vector<std::string> figures() const override { return {"d_ap", "d_an"}; }
  [[nodiscard]] torch::Tensor figure_values() const override { return distances_; }

 private:
  double margin_;
  torch::Tensor distances_;  ///< of the last batch: the means of d_ap and d_an
};

}  // namespace kindred::triplet
