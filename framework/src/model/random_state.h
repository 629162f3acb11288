// The state of LibTorch's random generators.
#pragma once

#include <torch/types.h>

namespace kindred::model {

struct RandomState {
  torch::Tensor cpu;   ///< uint8
  torch::Tensor cuda;  ///< uint8, undefined unless `device` is a GPU
};

/// The generator of the CPU and, for a GPU, that of the device.
[[nodiscard]] RandomState random_state(torch::Device device);
/// Throws c10::Error when a state is none. A state of a GPU is left aside when `device` is none.
void set_random_state(const RandomState& state, torch::Device device);

/// Puts the generators back as they were: what runs in between leaves no trace in what follows.
class RandomStateGuard {
 public:
  explicit RandomStateGuard(torch::Device device) : device_(device), state_(random_state(device)) {}
  ~RandomStateGuard() { set_random_state(state_, device_); }
  RandomStateGuard(const RandomStateGuard&) = delete;
  RandomStateGuard& operator=(const RandomStateGuard&) = delete;

 private:
  torch::Device device_;
  RandomState state_;
};

}  // namespace kindred::model
