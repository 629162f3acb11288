// The weights and the images by formula for which tools/golden/formula.py and the scripts beside it had other
// programs compute, and the names of these programs' tensors.
#pragma once

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <boost/crc.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "golden/formula_images.h"
#include "weights/weights_file.h"

namespace kindred::test {

using Shape = std::vector<std::int64_t>;

inline std::uint32_t crc_of(const std::string& text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return crc.checksum();
}

/// formula.py, values()
inline torch::Tensor formula_values(const std::string& name, const Shape& shape) {
  const auto count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  const auto wave = torch::arange(count, torch::kFloat64)
                        .mul_(12.9898)
                        .add_(78.233 * static_cast<double>(crc_of(name) % 1000))
                        .sin_()
                        .mul_(43758.5453)
                        .frac_()
                        .abs_()
                        .sub_(0.5)
                        .view(shape);
  if (count == shape[0]) {
    const bool scale = name.ends_with("weight") || name.ends_with("gamma") || name.ends_with("layer_scale");
    return (scale ? 1 + 0.4 * wave : 0.2 * wave).to(torch::kFloat32);
  }
  const auto fan_in = static_cast<double>(count) / static_cast<double>(shape[0]);
  return (wave * std::sqrt(12 / fan_in)).to(torch::kFloat32);
}

inline Shape shape_from(const std::string& text) {
  Shape shape;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t used = 0;
    shape.push_back(std::stoll(text.substr(at), &used));
    at += used + 1;
  }
  return shape;
}

/// What formula.py, tensor_lines(), wrote: "a.0-5.b 384" stands for six tensors.
inline std::vector<std::pair<std::string, Shape>> tensors_from(const nlohmann::json& lines) {
  std::vector<std::pair<std::string, Shape>> tensors;
  for (const std::string line : lines) {
    const auto space = line.find(' ');
    const auto name = line.substr(0, space);
    const auto shape = shape_from(line.substr(space + 1));
    const auto range = name.find("0-");
    if (range == std::string::npos) {
      tensors.emplace_back(name, shape);
      continue;
    }
    std::size_t used = 0;
    const auto last = std::stoll(name.substr(range + 2), &used);
    for (std::int64_t i = 0; i <= last; ++i) {
      tensors.emplace_back(name.substr(0, range) + std::to_string(i) + name.substr(range + 2 + used), shape);
    }
  }
  return tensors;
}

/// A file of the program with these tensors, with values by formula.
inline weights::WeightsFile formula_file(const nlohmann::json& lines) {
  weights::WeightsFile file;
  file.file = "made.pth";
  for (const auto& [name, shape] : tensors_from(lines)) {
    file.content.tensors.emplace_back(name, formula_values(name, shape));
  }
  return file;
}

/// formula.py, checksum(), of a module's parameters
inline std::uint32_t tensor_checksum(const torch::nn::Module& module) {
  std::vector<std::string> lines;
  for (const auto& item : module.named_parameters()) {
    auto line = item.key() + " ";
    for (const auto length : item.value().sizes()) {
      if (!line.ends_with(" ")) line += "x";
      line += std::to_string(length);
    }
    lines.push_back(line + "\n");
  }
  std::sort(lines.begin(), lines.end());
  return crc_of(std::accumulate(lines.begin(), lines.end(), std::string()));
}

/// The largest difference of a map from what formula.py, map_entry(), wrote, over the largest of its values.
inline double difference_from(const nlohmann::json& expected, const torch::Tensor& map) {
  REQUIRE(map.sizes().vec() == expected["shape"].get<Shape>());
  const auto wanted = torch::tensor(expected["values"].get<std::vector<double>>(), torch::kFloat64);
  const auto values =
      map.to(torch::kFloat64).flatten().slice(0, 0, {}, expected["every"].get<std::int64_t>());
  REQUIRE(values.sizes() == wanted.sizes());
  return ((values - wanted).abs().max() / wanted.abs().max()).item<double>();
}

inline torch::Tensor images_of(const nlohmann::json& expected) {
  return formula_images(expected["height"], expected["width"]);
}

}  // namespace kindred::test
