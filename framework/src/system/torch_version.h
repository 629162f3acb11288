// What differs between the versions of LibTorch that Kindred is built with, 1.13 to 2.x.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace kindred::system {

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

}  // namespace kindred::system
