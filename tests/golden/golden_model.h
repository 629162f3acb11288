// The weights and the images by formula for which mgn_se_resnet50_expected.json holds reference values. The
// values were computed independently of this project, from the papers' definitions and the same formula.
#pragma once

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "test_paths.h"

namespace kindred::test {

inline nlohmann::json golden_json(const std::string& name) {
  std::ifstream file(std::string(golden_directory) + "/" + name);
  return nlohmann::json::parse(file);
}

/// Fills the k-th tensor: two and more dimensions by a hash of the position, scaled as Kaiming's
/// initialization; of the others, batch norms' weights and variances are 1 and all else is 0.
inline void fill_by_formula(torch::Tensor tensor, const std::string& name, std::int64_t k) {
  const torch::NoGradGuard no_grad;
  if (tensor.dim() < 2) {
    const bool one = name.ends_with(".weight") || name.ends_with("running_var");
    tensor.fill_(one ? 1.0 : 0.0);
    return;
  }
  const double scale = std::sqrt(12.0) * std::sqrt(2.0 / static_cast<double>(tensor[0].numel()));
  auto values = torch::empty(tensor.sizes(), torch::kFloat32);
  auto* out = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    const double v =
        std::sin(12.9898 * static_cast<double>(i) + 78.233 * static_cast<double>(k)) * 43758.5453;
    out[i] = static_cast<float>((v - std::floor(v) - 0.5) * scale);
  }
  tensor.copy_(values);
}

/// Parameters and buffers by name, less the counters of batch norms, in lexicographical order.
inline std::map<std::string, torch::Tensor> golden_tensors(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& item : module.named_parameters()) tensors[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) {
    if (!item.key().ends_with("num_batches_tracked")) tensors[item.key()] = item.value();
  }
  return tensors;
}

inline void fill_backbone_by_formula(const torch::nn::Module& backbone) {
  std::int64_t k = 0;
  for (auto& [name, tensor] : golden_tensors(backbone)) fill_by_formula(tensor, name, k++);
}

/// |value - expected| over the largest |expected|.
inline double relative_difference(const torch::Tensor& value, const std::vector<double>& expected) {
  const auto wanted = torch::tensor(expected, torch::kFloat64);
  const auto difference = (value.to(torch::kFloat64).flatten() - wanted).abs().max();
  return (difference / wanted.abs().max()).item<double>();
}

}  // namespace kindred::test
