#include "distillation.h"

#include <torch/nn/functional/loss.h>
#include <torch/types.h>

#include <cstdint>
#include <string>

#include "kindred/core/error.h"

namespace kindred::distillation {
namespace {

namespace functional = torch::nn::functional;

/// Of all ordered pairs of different images, [N (N - 1)], divided by their mean.
torch::Tensor relative_distances(const torch::Tensor& vectors) {
  // Differences, not the expanded square: that one cancels where vectors are long and near each other.
  constexpr std::int64_t without_matrix_product = 2;
  const auto all = torch::cdist(vectors, vectors, 2.0, without_matrix_product);
  // Behind each number of the diagonal, which begins the flattened matrix, come N that are not of it. Unlike
  // a mask, which has to be counted, this does not wait for a GPU.
  const auto n = vectors.size(0);
  const auto distances = all.flatten().slice(0, 1).view({n - 1, n + 1}).slice(1, 0, n).reshape({-1});
  return distances / distances.mean().clamp_min(1e-12);
}

}  // namespace

Schema<Distillation::Params> Distillation::schema() {
  Schema<Params> s(
      "Draws the features of the first output to those of the second, which is another model's and gets no "
      "gradient.",
      "Park et al., Relational Knowledge Distillation, CVPR 2019, eq. 4 to 6");
  s.add("compare", &Params::compare,
        "'distances': of the images of a batch to each other, relative to their mean, whatever the dims of "
        "the outputs; 'cosine': the two vectors of each image, of equal dim",
        {{"distances", Compare::distances}, {"cosine", Compare::cosine}});
  return s;
}

Distillation::Distillation(const Params& params, const Context& context) : compare_(params.compare) {
  if (compare_ != Compare::cosine || context.outputs.size() != 2) return;
  const auto& own = context.outputs[0];
  const auto& teacher = context.outputs[1];
  if (own.dim == teacher.dim) return;
  throw ComponentError("loss/distillation", "compare = \"cosine\" needs outputs of equal dim, but '" +
                                                own.name + "' has " + std::to_string(own.dim) + " and '" +
                                                teacher.name + "' has " + std::to_string(teacher.dim) +
                                                "; use compare = \"distances\"");
}

torch::Tensor Distillation::compute(const LossBatch& batch) {
  const auto own = batch.outputs.at(0).to(torch::kFloat32);
  const auto teacher = batch.outputs.at(1).detach().to(torch::kFloat32);
  if (compare_ == Compare::cosine) return 1 - torch::cosine_similarity(own, teacher, 1).mean();
  return functional::smooth_l1_loss(relative_distances(own), relative_distances(teacher));
}

}  // namespace kindred::distillation
