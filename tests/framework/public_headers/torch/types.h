// Stands in for LibTorch's header: see ../CMakeLists.txt.
#pragma once

#include <cstdint>

namespace torch {
class Tensor {
 public:
  Tensor slice(std::int64_t dimension, std::int64_t first) const;
  Tensor slice(std::int64_t dimension, std::int64_t first, std::int64_t last) const;
};
enum DeviceType { kCPU };
class Device {
 public:
  Device(DeviceType type);  // NOLINT
};
class IntArrayRef;
}  // namespace torch
