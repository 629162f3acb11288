#include "circle.h"

#include <torch/nn/functional/activation.h>
#include <torch/utils.h>

#include <string>
#include <utility>

namespace kindred::angular_losses {

namespace {

Schema<CircleParams> circle_schema(std::string summary) {
  Schema<CircleParams> s(std::move(summary), "Sun et al., CVPR 2020, eq. 6");
  s.add("scale", &CircleParams::scale, "factor of the weighted similarities: gamma").above(0);
  s.add("margin", &CircleParams::margin,
        "allowed distance of a positive's cosine from 1, and of a negative's from 0: m")
      .range(0, 1);
  return s;
}

// Both rise with the similarity.
torch::Tensor weighted_positive(const torch::Tensor& cosines, double margin) {
  return (1 + margin - cosines.detach()).clamp_min(0.0) * (cosines - (1 - margin));
}

torch::Tensor weighted_negative(const torch::Tensor& cosines, double margin) {
  return (cosines.detach() + margin).clamp_min(0.0) * (cosines - margin);
}

// log sum exp over those of each row that count. Without any it is not minus infinity, whose gradient is no
// number, but low enough for a softplus of 0.
torch::Tensor log_sum_exp(const torch::Tensor& values, const torch::Tensor& counts) {
  return values.masked_fill(counts.logical_not(), -1e30).logsumexp(1);
}

}  // namespace

Schema<Circle::Params> Circle::schema() {
  return circle_schema("Circle loss on the cosines between all pairs of the batch.");
}

Circle::Circle(const Params& params, const Context& /*context*/)
    : scale_(params.scale), margin_(params.margin) {}

torch::Tensor Circle::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  const auto vectors = normalized_rows(output);
  const auto cosines = vectors.matmul(vectors.t());
  const auto same = labels.unsqueeze(0).eq(labels.unsqueeze(1));
  const auto negative = same.logical_not();
  auto positive = same.clone();
  positive.fill_diagonal_(false);
  const auto losses = torch::softplus(log_sum_exp(weighted_negative(cosines, margin_) * scale_, negative) +
                                      log_sum_exp(weighted_positive(cosines, margin_) * -scale_, positive));
  const auto counted = positive.any(1).logical_and(negative.any(1)).to(cosines.scalar_type());
  {
    const torch::NoGradGuard no_grad;
    const torch::Tensor hardest = torch::stack({cosines.masked_fill(positive.logical_not(), 2.0).amin(1),
                                                cosines.masked_fill(negative.logical_not(), -2.0).amax(1)});
    cosines_ = ((hardest * counted).sum(1) / counted.sum()).to(torch::kFloat32);  // of no anchor: 0 / 0
  }
  return losses.sum() / counted.sum().clamp_min(1);
}

Schema<CircleSoftmax::Params> CircleSoftmax::schema() {
  return circle_schema("Circle loss on the cosines to class weights.");
}

CircleSoftmax::CircleSoftmax(const Params& params, const Context& context)
    : AngularSoftmax(context), scale_(params.scale), margin_(params.margin) {}

AngularSoftmax::Logits CircleSoftmax::logits(const torch::Tensor& cosines, const torch::Tensor& own) const {
  return {weighted_negative(cosines, margin_) * scale_, weighted_positive(own, margin_) * scale_};
}

}  // namespace kindred::angular_losses
