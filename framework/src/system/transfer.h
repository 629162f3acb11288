// Copies between a GPU and the CPU that nobody waits for.
#pragma once

#include <c10/core/Event.h>
#include <torch/types.h>

#include <optional>

namespace kindred::system {

/// A tensor on the CPU, not initialized, contiguous, in pinned (page-locked) memory: it goes back to
/// LibTorch's own stock and is used again, and not before the GPU has copied what was last in it. So whoever
/// copies from it without waiting must not keep it to write into it again. Where the system has no pinned
/// memory left, and without a GPU, the memory is plain.
[[nodiscard]] torch::Tensor transfer_buffer(torch::IntArrayRef sizes, torch::ScalarType type);

/// A tensor on its way from the device to the CPU. The GPU copies it when it has computed it, and goes on
/// with what it is given next.
class Arriving {
 public:
  explicit Arriving(const torch::Tensor& tensor);
  /// On the CPU. Waits until it is there.
  [[nodiscard]] const torch::Tensor& get();

 private:
  torch::Tensor here_;
  std::optional<c10::Event> copied_;  ///< of a GPU
};

}  // namespace kindred::system
