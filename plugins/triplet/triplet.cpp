#include "triplet.h"

#include <torch/nn/functional/activation.h>
#include <torch/utils.h>

#include <cstdint>
#include <limits>

namespace kindred::triplet {

namespace {

// Which images form the triplet of each anchor, [N] each.
struct Triplets {
  torch::Tensor positive;
  torch::Tensor negative;
  torch::Tensor exists;  // bool
};

Triplets hardest(const torch::Tensor& vectors, const torch::Tensor& labels) {
  const torch::NoGradGuard no_grad;
  // Differences, not the expanded square: that one cancels where vectors are long and near each other.
  constexpr std::int64_t without_matrix_product = 2;
  const auto distance = torch::cdist(vectors, vectors, 2.0, without_matrix_product);
  const auto same = labels.unsqueeze(0).eq(labels.unsqueeze(1));
  auto positive = same.clone();
  positive.fill_diagonal_(false);
  const auto negative = same.logical_not();
  return {distance.masked_fill(positive.logical_not(), -1.0).argmax(1),
          distance.masked_fill(same, std::numeric_limits<double>::infinity()).argmin(1),
          positive.any(1).logical_and(negative.any(1))};
}

torch::Tensor distance_to(const torch::Tensor& vectors, const torch::Tensor& indices) {
  return (vectors - vectors.index_select(0, indices)).square().sum(1).clamp_min(1e-12).sqrt();
}

}  // namespace

Schema<Triplet::Params> Triplet::schema() {
  Schema<Params> s("Batch-hard triplet loss on Euclidean distances.", "Hermans et al., 2017, eq. 5");
  s.add("margin", &Params::margin, "how much nearer a positive must be than a negative; 0: soft margin")
      .at_least(0);
  return s;
}

Triplet::Triplet(const Params& params, const Context&) : margin_(params.margin) {}

torch::Tensor Triplet::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  const auto vectors = output.to(torch::kFloat32);
  const auto triplets = hardest(vectors.detach(), labels);
  // The distances of the chosen pairs alone: N of them, with gradients, instead of N x N.
  const auto to_positive = distance_to(vectors, triplets.positive);
  const auto to_negative = distance_to(vectors, triplets.negative);
  const auto gap = to_positive - to_negative;
  const auto losses = margin_ > 0 ? (gap + margin_).clamp_min(0.0) : torch::softplus(gap);
  const auto counted = triplets.exists.to(torch::kFloat32);
  // Of no anchor it is 0 / 0, which is no number, as it should be.
  const torch::Tensor both = torch::stack({to_positive, to_negative}).detach();
  distances_ = (both * counted).sum(1) / counted.sum();
  return (losses * counted).sum() / counted.sum().clamp_min(1.0);
}

}  // namespace kindred::triplet
