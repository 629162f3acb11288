#include "kindred/nn/pooling.h"

#include <torch/types.h>

#include <cstddef>
#include <stdexcept>

namespace kindred {

namespace {

constexpr double gem_start = 3.0;
constexpr double gem_floor = 1e-6;

torch::Tensor generalized_mean(const torch::Tensor& values, const torch::Tensor& exponent,
                               std::int64_t stripes) {
  const auto p = exponent.to(torch::kFloat32);
  return torch::adaptive_avg_pool2d(values.pow(p), {stripes, 1}).pow(p.reciprocal());
}

}  // namespace

std::vector<std::pair<std::string, PoolingKind>> pooling_choices() {
  return {{"avg", PoolingKind::average}, {"max", PoolingKind::max}, {"gem", PoolingKind::gem}};
}

std::string wrong_gem_exponent(PoolingKind kind, const std::optional<double>& fixed) {
  return fixed && kind != PoolingKind::gem ? "gem_exponent needs pooling = 'gem'" : "";
}

Pooling::Pooling(PoolingKind kind, std::int64_t stripes, GemExponent exponent)
    : kind_(kind), stripes_(stripes), fixed_exponent_(exponent.fixed) {
  if (kind == PoolingKind::class_token) throw std::logic_error("a class token is not pooled of a map");
  if (stripes < 1) throw std::logic_error("a map is pooled to at least one stripe");
  if (exponent.fixed && !(*exponent.fixed > 0)) throw std::logic_error("the exponent of a mean is above 0");
  if (kind != PoolingKind::gem || exponent.fixed) return;
  for (std::int64_t i = 0; i < (exponent.per_stripe ? stripes : 1); ++i) {
    const auto name = exponent.per_stripe ? "p_" + std::to_string(i) : "p";
    exponents_.push_back(register_parameter(name, torch::full({1}, gem_start)));
  }
}

Pooling::~Pooling() = default;

torch::Tensor Pooling::forward(const torch::Tensor& map) {
  switch (kind_) {
    case PoolingKind::average:
      return torch::adaptive_avg_pool2d(map, {stripes_, 1});
    case PoolingKind::max:
      return std::get<0>(torch::adaptive_max_pool2d(map, {stripes_, 1}));
    case PoolingKind::gem:
    case PoolingKind::class_token:
      break;
  }
  const auto values = map.to(torch::kFloat32).clamp_min(gem_floor);
  if (fixed_exponent_) {
    return torch::adaptive_avg_pool2d(values.pow(*fixed_exponent_), {stripes_, 1}).pow(1 / *fixed_exponent_);
  }
  if (exponents_.size() == 1) return generalized_mean(values, exponents_.front(), stripes_);
  const auto rows = values.size(2);
  std::vector<torch::Tensor> means;
  for (std::int64_t i = 0; i < stripes_; ++i) {
    const auto begin = i * rows / stripes_;
    const auto end = ((i + 1) * rows + stripes_ - 1) / stripes_;
    means.push_back(
        generalized_mean(values.narrow(2, begin, end - begin), exponents_[static_cast<std::size_t>(i)], 1));
  }
  return torch::cat(means, 2);
}

}  // namespace kindred
