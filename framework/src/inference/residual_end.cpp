#include "inference/residual_end.h"

#include <torch/library.h>

#include <algorithm>
#include <cstdint>

#include "kindred/core/kernel.h"

namespace kindred::inference {
namespace {

/// All three in one type and one order in memory, so that elements of the same place lie side by side.
bool lie_alike(const torch::Tensor& x, const torch::Tensor& other) {
  return x.scalar_type() == other.scalar_type() && x.sizes() == other.sizes() &&
         x.strides() == other.strides() && x.is_non_overlapping_and_dense() && x.device().is_cpu() &&
         (x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kBFloat16);
}

template <class Element>
[[gnu::always_inline]] inline void add_relu(Element* __restrict x, const Element* __restrict other,
                                            std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float sum = static_cast<float>(x[i]) + static_cast<float>(other[i]);
    x[i] = static_cast<Element>(sum < 0 ? 0.0F : sum);  // NaN stays
  }
}

/// Of pixels of one image.
template <class Element>
[[gnu::always_inline]] inline void scale_add_relu(Element* __restrict x, const Element* __restrict scale,
                                                  const Element* __restrict other, std::int64_t pixels,
                                                  std::int64_t channels) {
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto i = pixel * channels + c;
      const float sum =
          static_cast<float>(x[i]) * static_cast<float>(scale[c]) + static_cast<float>(other[i]);
      x[i] = static_cast<Element>(sum < 0 ? 0.0F : sum);
    }
  }
}

}  // namespace

// The same of either type: a template cannot be compiled for several processors, nor can what has no name
// outside.
namespace residual_end {

KINDRED_FOR_EACH_PROCESSOR
void add_relu_float(float* x, const float* other, std::int64_t count) {
  add_relu(x, other, count);
}
KINDRED_FOR_EACH_PROCESSOR
void add_relu_bfloat16(at::BFloat16* x, const at::BFloat16* other, std::int64_t count) {
  add_relu(x, other, count);
}
KINDRED_FOR_EACH_PROCESSOR
void scale_add_relu_float(float* x, const float* scale, const float* other, std::int64_t pixels,
                          std::int64_t channels) {
  scale_add_relu(x, scale, other, pixels, channels);
}
KINDRED_FOR_EACH_PROCESSOR
void scale_add_relu_bfloat16(at::BFloat16* x, const at::BFloat16* scale, const at::BFloat16* other,
                             std::int64_t pixels, std::int64_t channels) {
  scale_add_relu(x, scale, other, pixels, channels);
}

}  // namespace residual_end

namespace {

/// Elements for one thread at least.
constexpr std::int64_t grain = 16384;

template <class Element>
void add_relu_all(torch::Tensor& x, const torch::Tensor& other,
                  void (*work)(Element*, const Element*, std::int64_t)) {
  auto* to = x.data_ptr<Element>();
  const auto* from = other.data_ptr<Element>();
  const auto count = x.numel();
  parallel_kernel((count + grain - 1) / grain, [&](std::int64_t first, std::int64_t last) {
    const auto begin = first * grain;
    work(to + begin, from + begin, std::min(count, last * grain) - begin);
  });
}

template <class Element>
void scale_add_relu_all(torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& other,
                        void (*work)(Element*, const Element*, const Element*, std::int64_t, std::int64_t)) {
  const auto channels = x.size(1);
  const auto pixels = x.size(2) * x.size(3);
  auto* to = x.data_ptr<Element>();
  const auto* from = other.data_ptr<Element>();
  const auto* scales = scale.data_ptr<Element>();
  parallel_kernel(x.size(0), [&](std::int64_t first, std::int64_t last) {
    for (auto image = first; image < last; ++image) {
      const auto at = image * pixels * channels;
      work(to + at, scales + image * channels, from + at, pixels, channels);
    }
  });
}

}  // namespace

torch::Tensor add_relu_(torch::Tensor x, const torch::Tensor& other) {
  if (!lie_alike(x, other)) return x.add_(other).relu_();
  if (x.scalar_type() == torch::kFloat) {
    add_relu_all(x, other, &residual_end::add_relu_float);
  } else {
    add_relu_all(x, other, &residual_end::add_relu_bfloat16);
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
    scale_add_relu_all(x, rows, other, &residual_end::scale_add_relu_float);
  } else {
    scale_add_relu_all(x, rows, other, &residual_end::scale_add_relu_bfloat16);
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
