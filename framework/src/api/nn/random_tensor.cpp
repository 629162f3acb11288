#include "kindred/nn/random_tensor.h"

#include <torch/utils.h>

#include <cstdint>

namespace kindred {
namespace {

template <class Draw>
torch::Tensor filled(torch::IntArrayRef sizes, const Draw& draw) {
  auto tensor = torch::empty(sizes, torch::kFloat32);
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(draw());
  return tensor;
}

}  // namespace

torch::Tensor random_normal(torch::IntArrayRef sizes, RandomStream& random, double mean, double deviation) {
  return filled(sizes, [&] { return random.normal(mean, deviation); });
}

torch::Tensor random_uniform(torch::IntArrayRef sizes, RandomStream& random, double low, double high) {
  return filled(sizes, [&] { return random.uniform(low, high); });
}

}  // namespace kindred
