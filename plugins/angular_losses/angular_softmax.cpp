#include "angular_softmax.h"

#include <torch/nn/functional/loss.h>
#include <torch/nn/functional/normalization.h>

#include "kindred/nn/random_tensor.h"

namespace kindred::angular_losses {

AngularSoftmax::AngularSoftmax(const Context& context)
    : weight_(register_parameter(
          "weight", random_normal({context.identities, context.dim}, *context.random, 0.0, 0.01))) {}

torch::Tensor AngularSoftmax::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  const auto cosines = normalized_rows(output).matmul(normalized_rows(weight_).t());
  const auto index = labels.unsqueeze(1);
  const auto made = logits(cosines, cosines.gather(1, index));
  return torch::nn::functional::cross_entropy(made.others.scatter(1, index, made.own), labels);
}

torch::Tensor normalized_rows(const torch::Tensor& rows) {
  return torch::nn::functional::normalize(rows, torch::nn::functional::NormalizeFuncOptions().dim(1));
}

}  // namespace kindred::angular_losses
