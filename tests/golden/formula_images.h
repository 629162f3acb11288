// Images by formula, for which other programs computed what lies in this folder.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace kindred::test {

/// x[n, c, h, w] = sin(0.05 h + 0.11 w + 1.7 c + 0.9 n), [count, 3, height, width]
inline torch::Tensor formula_images(std::int64_t height, std::int64_t width, std::int64_t count = 2) {
  const auto axis = [](std::int64_t size, double factor) {
    return torch::arange(size, torch::kFloat64) * factor;
  };
  const auto sum = axis(count, 0.9).view({count, 1, 1, 1}) + axis(3, 1.7).view({1, 3, 1, 1}) +
                   axis(height, 0.05).view({1, 1, height, 1}) + axis(width, 0.11).view({1, 1, 1, width});
  return sum.sin().to(torch::kFloat32);
}

}  // namespace kindred::test
