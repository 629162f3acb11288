// What differs between the versions of LibTorch that Kindred is built with, 1.13 to 2.x.
#pragma once

#include <ATen/autocast_mode.h>
#include <c10/core/Allocator.h>
#include <torch/types.h>
#include <torch/version.h>

#include <cmath>
#include <cstddef>
#include <cstring>

namespace kindred {

// Since 2.4 the device is an argument, and the older functions are deprecated.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)

inline bool autocast_enabled(c10::DeviceType device) {
  return at::autocast::is_autocast_enabled(device);
}
inline c10::ScalarType autocast_type(c10::DeviceType device) {
  return at::autocast::get_autocast_dtype(device);
}
inline void set_autocast(c10::DeviceType device, bool enabled, c10::ScalarType type) {
  at::autocast::set_autocast_dtype(device, type);
  at::autocast::set_autocast_enabled(device, enabled);
}

#else

inline bool autocast_enabled(c10::DeviceType device) {
  return device == c10::DeviceType::CPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
}
inline c10::ScalarType autocast_type(c10::DeviceType device) {
  return device == c10::DeviceType::CPU ? at::autocast::get_autocast_cpu_dtype()
                                        : at::autocast::get_autocast_gpu_dtype();
}
inline void set_autocast(c10::DeviceType device, bool enabled, c10::ScalarType type) {
  if (device == c10::DeviceType::CPU) {
    at::autocast::set_autocast_cpu_dtype(type);
    at::autocast::set_cpu_enabled(enabled);
  } else {
    at::autocast::set_autocast_gpu_dtype(type);
    at::autocast::set_enabled(enabled);
  }
}

#endif

// softmax(q k^T / sqrt(d) + bias) v of [N, heads, T, d]; no bias: undefined. Since 2.0 one function, which
// never holds the T x T weights of all heads at once where it has a way to do without.
#if TORCH_VERSION_MAJOR >= 2

inline torch::Tensor attention_of(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                  const torch::Tensor& bias) {
  return bias.defined() ? at::scaled_dot_product_attention(q, k, v, bias)
                        : at::scaled_dot_product_attention(q, k, v);
}

#else

inline torch::Tensor attention_of(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                  const torch::Tensor& bias) {
  const auto scale = 1.0 / std::sqrt(static_cast<double>(q.size(-1)));
  auto weights = torch::matmul(q * scale, k.transpose(-2, -1));
  if (bias.defined()) weights = weights + bias;
  return torch::matmul(weights.softmax(-1), v);
}

#endif

/// An allocator whose class says allocated(). Until 2.2 allocate() was const; later versions have
/// copy_data(), too. Of these functions, those are overridden that the version has: so none says `override`.
class AnyAllocator : public c10::Allocator {
 public:
  // NOLINTBEGIN(modernize-use-override)
  c10::DataPtr allocate(std::size_t bytes) const { return allocated(bytes); }
  c10::DataPtr allocate(std::size_t bytes) { return allocated(bytes); }
  void copy_data(void* to, const void* from, std::size_t bytes) const {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  // NOLINTEND(modernize-use-override)

 private:
  [[nodiscard]] virtual c10::DataPtr allocated(std::size_t bytes) const = 0;
};

}  // namespace kindred
