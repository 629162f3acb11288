#include "inference/residual_end.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <cstdint>

namespace kindred::inference {
namespace {

/// All three in one type and one order in memory, so that elements of the same place lie side by side.
bool lie_alike(const torch::Tensor& x, const torch::Tensor& other) {
  return x.scalar_type() == other.scalar_type() && x.sizes() == other.sizes() &&
         x.strides() == other.strides() && x.is_non_overlapping_and_dense() && x.device().is_cpu() &&
         (x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kBFloat16);
}

template <class Element>
void add_relu(Element* x, const Element* other, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float sum = static_cast<float>(x[i]) + static_cast<float>(other[i]);
    x[i] = static_cast<Element>(sum < 0 ? 0.0F : sum);  // NaN stays
  }
}

template <class Element>
void scale_add_relu(Element* x, const Element* scale, const Element* other, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float sum = static_cast<float>(x[i]) * static_cast<float>(scale[i]) + static_cast<float>(other[i]);
    x[i] = static_cast<Element>(sum < 0 ? 0.0F : sum);
  }
}

/// Elements for one thread at least.
constexpr std::int64_t grain = 16384;

template <class Element>
void add_relu_all(torch::Tensor& x, const torch::Tensor& other) {
  auto* to = x.data_ptr<Element>();
  const auto* from = other.data_ptr<Element>();
  at::parallel_for(0, x.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
    add_relu(to + begin, from + begin, end - begin);
  });
}

template <class Element>
void scale_add_relu_all(torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& other) {
  const auto channels = x.size(1);
  const auto pixels = x.size(2) * x.size(3);
  auto* to = x.data_ptr<Element>();
  const auto* from = other.data_ptr<Element>();
  const auto* scales = scale.data_ptr<Element>();
  at::parallel_for(0, x.size(0) * pixels, std::max<std::int64_t>(1, grain / channels),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (auto pixel = begin; pixel < end; ++pixel) {
                       const auto at = pixel * channels;
                       scale_add_relu(to + at, scales + pixel / pixels * channels, from + at, channels);
                     }
                   });
}

}  // namespace

torch::Tensor add_relu_(torch::Tensor x, const torch::Tensor& other) {
  if (!lie_alike(x, other)) return x.add_(other).relu_();
  if (x.scalar_type() == torch::kFloat) {
    add_relu_all<float>(x, other);
  } else {
    add_relu_all<at::BFloat16>(x, other);
  }
  return x;
}

torch::Tensor scale_add_relu_(torch::Tensor x, const torch::Tensor& scale, const torch::Tensor& other) {
  const bool fits =
      lie_alike(x, other) && x.dim() == 4 && x.is_contiguous(torch::MemoryFormat::ChannelsLast) &&
      scale.scalar_type() == x.scalar_type() && scale.dim() == 4 && scale.size(0) == x.size(0) &&
      scale.size(1) == x.size(1) && scale.size(2) == 1 && scale.size(3) == 1;
  if (!fits) return x.mul_(scale).add_(other).relu_();
  const auto rows = scale.flatten(1).contiguous();
  if (x.scalar_type() == torch::kFloat) {
    scale_add_relu_all<float>(x, rows, other);
  } else {
    scale_add_relu_all<at::BFloat16>(x, rows, other);
  }
  return x;
}

void register_residual_ends() {
  static const auto library = [] {
    torch::Library made(torch::Library::DEF, "kindred", {}, __FILE__, __LINE__);
    made.def("add_relu_(Tensor(a!) x, Tensor other) -> Tensor(a!)", &add_relu_);
    made.def("scale_add_relu_(Tensor(a!) x, Tensor scale, Tensor other) -> Tensor(a!)", &scale_add_relu_);
    return made;
  }();
  static_cast<void>(library);
}

}  // namespace kindred::inference
