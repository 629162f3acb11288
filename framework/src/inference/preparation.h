// How images are prepared for a network, found out from what the augmentations do to images, so that other
// programs can do the same.
#pragma once

#include <torch/csrc/jit/ir/ir.h>
#include <torch/types.h>

#include <array>
#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>

namespace kindred::inference {

enum class Scaling { linear, area, cubic, antialiased_linear, antialiased_cubic };

/// Images of any size are scaled, rounded to 8 bits, divided by 255, and standardized: (x - mean) /
/// deviation.
struct Preparation {
  cv::Size size;
  Scaling scaling = Scaling::linear;
  std::array<double, 3> mean;       ///< of R, G, B
  std::array<double, 3> deviation;  ///< negative: the channel is inverted
};

/// What the recipe calls it and other programs: "linear (OpenCV's INTER_LINEAR)".
[[nodiscard]] std::string scaling_text(Scaling scaling);

/// Makes a network's input of an image: CV_8UC3, RGB -> [3, H, W], 32-bit floats.
using Preparer = std::function<torch::Tensor(const cv::Mat&)>;

/// Nothing when what the preparer does to test images is not described by a Preparation: then it is more than
/// scaling and standardizing. Colors have to be right to 2e-3 of a level, scaled images to 1.5 levels:
/// fixed-point arithmetic rounds otherwise.
/// @param size of what it makes
[[nodiscard]] std::optional<Preparation> find_preparation(const Preparer& prepare, cv::Size size);

/// The same as a graph: images [N, h, w, 3], uint8, RGB, of any size -> [N, 3, H, W], 32-bit floats. Scaling
/// is two products with matrices that are computed from the sizes, which says exactly which pixels have which
/// weight, in any runtime.
[[nodiscard]] std::shared_ptr<torch::jit::Graph> preparation_graph(const Preparation& preparation);

/// What that graph gives.
[[nodiscard]] torch::Tensor prepare_images(const Preparation& preparation, const torch::Tensor& images);

}  // namespace kindred::inference
