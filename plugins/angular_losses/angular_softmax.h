// What losses share that classify by the angles between vectors and class weights.
#pragma once

#include <vector>

#include "kindred/role/loss.h"

namespace kindred::angular_losses {

/// Cross entropy of logits that are made of cosines. The class weights, [identities, dim], learn with the
/// model. Neither their lengths nor those of the vectors matter; a vector of zeros has cosine 0 to
/// everything.
class AngularSoftmax : public OutputLoss {
 public:
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) final;

 protected:
  explicit AngularSoftmax(const Context& context);

  struct Logits {
    torch::Tensor others;  ///< [N, identities], of the wrong identities; the right one's is not read
    torch::Tensor own;     ///< [N, 1], of the right identity
  };
  /// @param cosines [N, identities], to each class weight; rounding may put one just outside [-1, 1]
  /// @param own [N, 1], those of them that belong to the right identity
  [[nodiscard]] virtual Logits logits(const torch::Tensor& cosines, const torch::Tensor& own) const = 0;

 private:
  torch::Tensor weight_;
};

/// [N, dim] -> the same, each row of length 1; a row of zeros stays one.
[[nodiscard]] torch::Tensor normalized_rows(const torch::Tensor& rows);

}  // namespace kindred::angular_losses
