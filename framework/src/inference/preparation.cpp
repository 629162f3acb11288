#include "inference/preparation.h"

#include <torch/csrc/api/include/torch/jit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <opencv2/core.hpp>
#include <vector>

namespace kindred::inference {
namespace {

/// Rows of a matrix are the places of the result, columns those of the source; `both` is 1 where neither side
/// of the image grows. The weights are those of OpenCV's resize(), and of Pillow's where all pixels are taken
/// in. Type 6 is torch::kFloat, which has no name here. All lie where the images do: a graph made on a
/// processor runs on a GPU.
constexpr const char* matrices_source = R"(
def places(count: int, images):
    return torch.arange(count, dtype=6, device=images.device)

def taps(place, weight, length: int):
    inside = torch.clamp(place, 0, length - 1).unsqueeze(1)
    return (places(length, place).unsqueeze(0) == inside).to(6) * weight.unsqueeze(1)

def linear(length: int, out: int, both: float, images):
    center = (places(out, images) + 0.5) * (length / out) - 0.5
    first = torch.floor(center)
    part = center - first
    return taps(first, 1 - part, length) + taps(first + 1, part, length)

def cubic(length: int, out: int, both: float, images):
    center = (places(out, images) + 0.5) * (length / out) - 0.5
    first = torch.floor(center)
    x = center - first
    a = -0.75
    w0 = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    w1 = ((a + 2) * x - (a + 3)) * x * x + 1
    y = 1 - x
    w2 = ((a + 2) * y - (a + 3)) * y * y + 1
    w3 = 1 - w0 - w1 - w2
    return taps(first - 1, w0, length) + taps(first, w1, length) + taps(first + 1, w2, length) + taps(first + 2, w3, length)

def area(length: int, out: int, both: float, images):
    scale = length / out
    begin = (places(out, images) * scale).unsqueeze(1)
    j = places(length, images).unsqueeze(0)
    overlap = torch.clamp(torch.minimum(j + 1, begin + scale) - torch.maximum(j, begin), min=0.0) / scale
    first = torch.floor(places(out, images) * scale + 1e-5)
    part = torch.clamp(places(out, images) + 1 - (first + 1) * (out / length), min=0.0)
    part = part - torch.floor(part)
    grown = taps(first, 1 - part, length) + taps(first + 1, part, length)
    return overlap * both + grown * (1 - both)

def distance(length: int, out: int, wide: float, images):
    scale = length / out
    center = ((places(out, images) + 0.5) * scale).unsqueeze(1)
    spread = max(scale, 1.0)
    first = torch.clamp(torch.floor(center - spread * wide + 0.5), min=0.0)
    end = torch.floor(center + spread * wide + 0.5)
    j = places(length, images).unsqueeze(0)
    inside = ((j >= first).to(6)) * ((j < end).to(6))
    return torch.abs((j - center + 0.5) / spread), inside

def antialiased_linear(length: int, out: int, both: float, images):
    x, inside = distance(length, out, 1.0, images)
    weight = torch.clamp(1 - x, min=0.0) * inside
    return weight / weight.sum(1, keepdim=True)

def antialiased_cubic(length: int, out: int, both: float, images):
    x, inside = distance(length, out, 2.0, images)
    a = -0.5
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    weight = torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x))) * inside
    return weight / weight.sum(1, keepdim=True)

def levels(x):
    return torch.clamp(torch.round(x), 0.0, 255.0)
)";

/// Names of the functions above, in the order of Scaling.
constexpr std::array<const char*, 5> names = {"linear", "area", "cubic", "antialiased_linear",
                                              "antialiased_cubic"};
constexpr std::array<Scaling, 5> all_scalings = {Scaling::linear, Scaling::area, Scaling::cubic,
                                                 Scaling::antialiased_linear, Scaling::antialiased_cubic};

bool is_antialiased(Scaling scaling) {
  return scaling == Scaling::antialiased_linear || scaling == Scaling::antialiased_cubic;
}

std::string source_of(const Preparation& preparation) {
  const std::string name = names[static_cast<std::size_t>(preparation.scaling)];
  const auto height = std::to_string(preparation.size.height);
  const auto width = std::to_string(preparation.size.width);
  std::string source = matrices_source;
  source += "\ndef prepare(images, factor, offset):\n";
  source += "    h = images.size(1)\n    w = images.size(2)\n";
  source += "    both = float(min(h - " + height + ", w - " + width + ") >= 0)\n";
  source += "    x = images.permute(0, 3, 1, 2).to(6)\n";
  source += "    x = torch.matmul(x, " + name + "(w, " + width + ", both, images).t())\n";
  // Pillow rounds between its two passes.
  if (is_antialiased(preparation.scaling)) source += "    x = levels(x)\n";
  source += "    x = levels(torch.matmul(" + name + "(h, " + height + ", both, images), x))\n";
  source += "    return x * factor + offset\n";
  return source;
}

/// A source of pixels that is the same everywhere.
cv::Mat noise(cv::Size size, std::uint64_t seed) {
  cv::Mat image(size, CV_8UC3);
  cv::RNG random(seed);
  random.fill(image, cv::RNG::UNIFORM, 0, 256);
  return image;
}

torch::Tensor as_batch(const cv::Mat& image) {
  return torch::from_blob(image.data, {1, image.rows, image.cols, 3}, torch::kByte).clone();
}

torch::Tensor run_graph(const std::shared_ptr<torch::jit::Graph>& graph, const torch::Tensor& images) {
  torch::jit::Stack stack{images};
  torch::jit::InterpreterState(torch::jit::Code(graph, "prepare")).run(stack);
  return stack.at(0).toTensor();
}

bool has_size(const torch::Tensor& prepared, cv::Size size) {
  return prepared.dim() == 3 && prepared.size(0) == 3 && prepared.size(1) == size.height &&
         prepared.size(2) == size.width;
}

/// Numbers as they were written: 0.485, not 0.48500001.
double rounded(double value) {
  return std::round(value * 1e6) / 1e6;
}

}  // namespace

std::string scaling_text(Scaling scaling) {
  switch (scaling) {
    case Scaling::linear:
      return "linear (OpenCV's INTER_LINEAR)";
    case Scaling::area:
      return "area (OpenCV's INTER_AREA)";
    case Scaling::cubic:
      return "cubic (OpenCV's INTER_CUBIC)";
    case Scaling::antialiased_linear:
      return "antialiased linear (Pillow's BILINEAR)";
    case Scaling::antialiased_cubic:
      return "antialiased cubic (Pillow's BICUBIC)";
  }
  return "";
}

std::shared_ptr<torch::jit::Graph> preparation_graph(const Preparation& preparation) {
  const auto unit = torch::jit::compile(source_of(preparation));
  auto graph = torch::jit::toGraphFunction(unit->get_function("prepare")).graph()->copy();
  torch::jit::Inline(*graph);
  torch::jit::LowerSimpleTuples(graph);
  std::vector<float> factor;
  std::vector<float> offset;
  for (std::size_t i = 0; i < 3; ++i) {
    factor.push_back(static_cast<float>(1 / (255 * preparation.deviation[i])));
    offset.push_back(static_cast<float>(-preparation.mean[i] / preparation.deviation[i]));
  }
  const torch::jit::WithInsertPoint here(*graph->nodes().begin());
  graph->inputs()[1]->replaceAllUsesWith(graph->insertConstant(torch::tensor(factor).view({1, 3, 1, 1})));
  graph->inputs()[2]->replaceAllUsesWith(graph->insertConstant(torch::tensor(offset).view({1, 3, 1, 1})));
  graph->eraseInput(2);
  graph->eraseInput(1);
  torch::jit::ConstantPropagation(graph);
  torch::jit::EliminateDeadCode(graph);
  return graph;
}

torch::Tensor prepare_images(const Preparation& preparation, const torch::Tensor& images) {
  return run_graph(preparation_graph(preparation), images);
}

std::optional<Preparation> find_preparation(const Preparer& prepare, cv::Size size) {
  Preparation found;
  found.size = size;
  const auto dark = prepare(cv::Mat(size, CV_8UC3, cv::Scalar::all(0)));
  const auto light = prepare(cv::Mat(size, CV_8UC3, cv::Scalar::all(255)));
  if (!has_size(dark, size) || !has_size(light, size)) return std::nullopt;
  for (int i = 0; i < 3; ++i) {
    const auto low = dark[i][0][0].item<double>();
    const auto rise = light[i][0][0].item<double>() - low;
    if (rise == 0 || !std::isfinite(rise)) return std::nullopt;
    found.mean[i] = rounded(-low / rise);
    found.deviation[i] = rounded(1 / rise);
    if (found.deviation[i] == 0) return std::nullopt;
  }
  std::vector<float> level;
  for (const auto deviation : found.deviation) level.push_back(static_cast<float>(255 * deviation));
  const auto levels = torch::tensor(level).view({3, 1, 1});
  /// In levels of 8 bits.
  const auto difference = [&](const torch::Tensor& a, const torch::Tensor& b) {
    return ((a - b) * levels).abs().max().item<double>();
  };
  const auto image = noise(size, 1);
  const auto expected = prepare(image);
  constexpr double of_colors = 2e-3;
  if (!has_size(expected, size) ||
      difference(run_graph(preparation_graph(found), as_batch(image))[0], expected) > of_colors) {
    return std::nullopt;
  }
  constexpr double of_rounding = 1.5;
  const std::array<cv::Size, 4> sizes = {
      cv::Size(size.width * 2 + 7, size.height * 3 + 5), cv::Size(size.width + 9, size.height + 30),
      cv::Size(std::max(2, size.width / 2 + 1), std::max(2, size.height * 2 / 3)),
      cv::Size(std::max(2, size.width / 2 + 1), size.height + 30)};
  double best = std::numeric_limits<double>::infinity();
  for (const auto scaling : all_scalings) {
    auto candidate = found;
    candidate.scaling = scaling;
    const auto graph = preparation_graph(candidate);
    double worst = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto probe = noise(sizes[i], 2 + i);
      const auto wanted = prepare(probe);
      if (!has_size(wanted, size)) return std::nullopt;
      worst = std::max(worst, difference(run_graph(graph, as_batch(probe))[0], wanted));
    }
    if (worst <= of_rounding && worst < best) {
      best = worst;
      found.scaling = scaling;
    }
  }
  if (best > of_rounding) return std::nullopt;
  return found;
}

}  // namespace kindred::inference
