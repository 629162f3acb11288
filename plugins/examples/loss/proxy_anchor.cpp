#include "proxy_anchor.h"

#include <torch/nn/functional/normalization.h>

#include <limits>

#include "kindred/nn/random_tensor.h"

namespace my_plugins {
namespace {

torch::Tensor unit_rows(const torch::Tensor& rows) {
  return torch::nn::functional::normalize(rows, torch::nn::functional::NormalizeFuncOptions().dim(1));
}

/// log(1 + sum of exp) of each column over the rows that `counts`, [N, C] -> [C].
torch::Tensor softplus_of_sum(const torch::Tensor& values, const torch::Tensor& counts) {
  const auto counted = values.masked_fill(counts.logical_not(), -std::numeric_limits<float>::infinity());
  return torch::cat({values.new_zeros({1, values.size(1)}), counted}).logsumexp(0);
}

}  // namespace

kindred::Schema<ProxyAnchor::Params> ProxyAnchor::schema() {
  kindred::Schema<Params> s(
      "Pulls features to a learned proxy of their identity and pushes them from the others.",
      "Kim et al., CVPR 2020, equation 4");
  s.add("scale", &Params::scale, "how much more hard images count than easy ones").above(0);
  s.add("margin", &Params::margin, "margin of the cosine").range(0, 1);
  return s;
}

ProxyAnchor::ProxyAnchor(const Params& params, const Context& context)
    : params_(params),
      proxies_(register_parameter(
          "proxies", kindred::random_normal({context.identities, context.dim}, *context.random))) {}

torch::Tensor ProxyAnchor::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  const auto cosines = unit_rows(output).matmul(unit_rows(proxies_).t());  // [N, identities]
  const auto own = torch::one_hot(labels, proxies_.size(0)).to(torch::kBool);
  const auto present = own.any(0).sum();
  const auto pull = softplus_of_sum(-params_.scale * (cosines - params_.margin), own);
  const auto push = softplus_of_sum(params_.scale * (cosines + params_.margin), own.logical_not());
  return pull.sum() / present + push.mean();
}

}  // namespace my_plugins
