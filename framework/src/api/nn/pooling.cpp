#include "kindred/nn/pooling.h"

#include <torch/types.h>

#include <stdexcept>

namespace kindred {

namespace {

constexpr double gem_start = 3.0;
constexpr double gem_floor = 1e-6;

}  // namespace

std::vector<std::pair<std::string, PoolingKind>> pooling_choices() {
  return {{"avg", PoolingKind::average}, {"max", PoolingKind::max}, {"gem", PoolingKind::gem}};
}

Pooling::Pooling(PoolingKind kind, std::int64_t stripes) : kind_(kind), stripes_(stripes) {
  if (stripes < 1) throw std::logic_error("a map is pooled to at least one stripe");
  if (kind == PoolingKind::gem) p_ = register_parameter("p", torch::full({1}, gem_start));
}

Pooling::~Pooling() = default;

torch::Tensor Pooling::forward(const torch::Tensor& map) {
  switch (kind_) {
    case PoolingKind::average:
      return torch::adaptive_avg_pool2d(map, {stripes_, 1});
    case PoolingKind::max:
      return std::get<0>(torch::adaptive_max_pool2d(map, {stripes_, 1}));
    case PoolingKind::gem:
      break;
  }
  const auto p = p_.to(torch::kFloat32);
  const auto powers = map.to(torch::kFloat32).clamp_min(gem_floor).pow(p);
  return torch::adaptive_avg_pool2d(powers, {stripes_, 1}).pow(p.reciprocal());
}

}  // namespace kindred
