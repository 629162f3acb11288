// Weights and images by formula, and files as other programs write them, for clip_expected.json, which
// tools/golden/make_clip.py makes.
#pragma once

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "golden/formula_images.h"
#include "golden/golden_model.h"
#include "weights/weights_file.h"

namespace kindred::test {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

inline const nlohmann::json& clip_golden() {
  static const auto json = golden_json("clip_expected.json");
  return json;
}

/// values() of make_clip.py, in 32 bits.
inline torch::Tensor clip_values(const std::string& name, const std::vector<std::int64_t>& shape) {
  constexpr std::int64_t at_once = 1 << 20;
  const auto count =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<std::int64_t>());
  boost::crc_32_type crc;
  crc.process_bytes(name.data(), name.size());
  const auto phase = 78.233 * static_cast<double>(crc.checksum() % 1000);
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  double factor =
      std::sqrt(12.0 * static_cast<double>(shape.empty() ? 1 : shape[0]) / static_cast<double>(count));
  double offset = 0;
  if (name.ends_with("running_var")) {
    factor = 1;
    offset = 1;
  } else if (shape.size() <= 1) {
    factor = name.ends_with("weight") ? 0.4 : 0.2;
    offset = name.ends_with("weight") ? 1 : 0;
  } else if (has("embed") || has("ctx")) {
    factor = 1;
  }
  auto values = torch::empty({count}, torch::kFloat32);
  for (std::int64_t begin = 0; begin < count; begin += at_once) {
    const auto end = std::min(count, begin + at_once);
    const auto wave = (torch::arange(begin, end, torch::kFloat64) * 12.9898 + phase).sin() * 43758.5453;
    values.narrow(0, begin, end - begin).copy_((wave - wave.floor() - 0.5) * factor + offset);
  }
  return values.view(shape);
}

/// What forms() of make_clip.py shortened.
inline Shapes shapes_of(const nlohmann::json& forms) {
  Shapes shapes;
  for (const auto& [form, entries] : forms.items()) {
    for (const auto& entry : entries) {
      const auto shape = entry[0].get<std::vector<std::int64_t>>();
      if (entry[1].empty()) shapes[form] = shape;
      for (const std::int64_t number : entry[1]) {
        auto name = form;
        shapes[name.replace(name.find('#'), 1, std::to_string(number))] = shape;
      }
    }
  }
  return shapes;
}

/// A file with these tensors, by formula.
inline weights::WeightsFile clip_file(const Shapes& shapes) {
  weights::WeightsFile file;
  file.file = "made.pt";
  for (const auto& [name, shape] : shapes) {
    const bool counter = name.ends_with("num_batches_tracked") || shape.empty();
    file.content.tensors.emplace_back(name, counter && name != "logit_scale"
                                                ? torch::zeros(shape, torch::kInt64)
                                                : clip_values(name, shape));
  }
  return file;
}

/// images() of make_clip.py.
inline torch::Tensor clip_images(std::int64_t height, std::int64_t width) {
  return formula_images(height, width, 4);
}

/// The largest difference to the numbers that some() of make_clip.py chose, relative to the largest of them;
/// infinity when they are others.
inline double clip_difference(const torch::Tensor& rows, const nlohmann::json& expected,
                              std::int64_t most = 24) {
  const auto wanted = expected.get<std::vector<std::vector<double>>>();
  const auto flat = rows.detach().reshape({rows.size(0), -1}).to(torch::kFloat64);
  if (rows.size(0) != static_cast<std::int64_t>(wanted.size())) return INFINITY;
  const auto chosen = flat.slice(1, 0, flat.size(1), std::max<std::int64_t>(1, flat.size(1) / most));
  if (chosen.size(1) != static_cast<std::int64_t>(wanted.front().size())) return INFINITY;
  double difference = 0;
  double largest = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    for (std::size_t k = 0; k < wanted[i].size(); ++k) {
      const auto actual = chosen[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(k)].item<double>();
      difference = std::max(difference, std::abs(actual - wanted[i][k]));
      largest = std::max(largest, std::abs(wanted[i][k]));
    }
  }
  return difference / largest;
}

}  // namespace kindred::test
