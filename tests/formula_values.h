// Weights and images by formula, as the programs of tools/golden have them: so no weights need to be kept.
#pragma once

#include <torch/types.h>

#include <boost/crc.hpp>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "test_paths.h"

namespace kindred::test {

inline nlohmann::json golden_file(const std::string& name) {
  std::ifstream file(std::string(golden_directory) + "/" + name);
  return nlohmann::json::parse(file);
}

/// For the element i of a tensor: sin(0.37 i + CRC-32 of its name modulo 1000), scaled by what it is.
inline torch::Tensor formula_values(const std::string& name, const std::vector<std::int64_t>& shape) {
  boost::crc_32_type crc;
  crc.process_bytes(name.data(), name.size());
  std::int64_t count = 1;
  for (const auto length : shape) count *= length;
  const auto wave =
      (torch::arange(count, torch::kFloat64) * 0.37 + static_cast<double>(crc.checksum() % 1000))
          .sin()
          .view(shape);
  const auto scaled = [&]() -> torch::Tensor {
    if (name.ends_with("running_var")) return 1 + 0.5 * wave;
    if (shape.size() == 1 && name.ends_with("weight")) return 1 + 0.2 * wave;
    return (shape.size() == 1 ? 0.1 : 0.15) * wave;
  };
  return scaled().to(torch::kFloat32);
}

/// x[n, c, h, w] = sin(0.05 h + 0.11 w + 1.7 c + 0.9 n), [2, 3, height, width].
inline torch::Tensor formula_images(std::int64_t height, std::int64_t width) {
  const auto axis = [](std::int64_t size, double factor) {
    return torch::arange(size, torch::kFloat64) * factor;
  };
  const auto sum = axis(2, 0.9).view({2, 1, 1, 1}) + axis(3, 1.7).view({1, 3, 1, 1}) +
                   axis(height, 0.05).view({1, 1, height, 1}) + axis(width, 0.11).view({1, 1, 1, width});
  return sum.sin().to(torch::kFloat32);
}

/// The largest difference, over the largest of the expected numbers.
inline double formula_difference(const torch::Tensor& value, const std::vector<double>& expected) {
  const auto wanted = torch::tensor(expected, torch::kFloat64);
  const auto difference = (value.detach().to(torch::kFloat64).flatten() - wanted).abs().max();
  return (difference / wanted.abs().max()).item<double>();
}

}  // namespace kindred::test
