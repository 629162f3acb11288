#include "cross_entropy.h"

#include <torch/nn/functional/loss.h>

namespace kindred::cross_entropy {

Schema<CrossEntropy::Params> CrossEntropy::schema() {
  Schema<Params> s("Cross entropy of the identities, with label smoothing.",
                   "Szegedy et al., CVPR 2016, section 7");
  s.add("label_smoothing", &Params::label_smoothing,
        "share of the target probability that is spread evenly over all identities")
      .range(0, 1);
  return s;
}

CrossEntropy::CrossEntropy(const Params& params, const Context&) : label_smoothing_(params.label_smoothing) {}

torch::Tensor CrossEntropy::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  using torch::nn::functional::CrossEntropyFuncOptions;
  return torch::nn::functional::cross_entropy(output, labels,
                                              CrossEntropyFuncOptions().label_smoothing(label_smoothing_));
}

}  // namespace kindred::cross_entropy
