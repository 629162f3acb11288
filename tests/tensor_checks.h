// Tensors and networks in tests.
#pragma once

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "kindred/role/backbone.h"

namespace kindred::test {

inline torch::Tensor labels_of(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

/// In 64 bits, of two tensors of the same sizes.
inline double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  REQUIRE(a.sizes() == b.sizes());
  return (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>();
}

/// Numbers that a whole backbone learns.
inline std::int64_t parameter_count(Backbone& network) {
  std::int64_t count = 0;
  for (const auto& parameter : network.trunk(network.blocks().back())->parameters()) {
    count += parameter.numel();
  }
  return count;
}

}  // namespace kindred::test
