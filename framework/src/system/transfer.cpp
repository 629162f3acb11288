#include "system/transfer.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <torch/cuda.h>
#include <torch/utils.h>

#include <chrono>
#include <thread>

namespace kindred::system {

torch::Tensor transfer_buffer(torch::IntArrayRef sizes, torch::ScalarType type) {
  if (torch::cuda::is_available()) {
    try {
      return torch::empty(sizes, torch::TensorOptions(type).pinned_memory(true));
    } catch (const c10::Error&) {
      // A limit on page-locked memory: plain memory works, with one more copy.
    }
  }
  return torch::empty(sizes, type);
}

Arriving::Arriving(const torch::Tensor& tensor) {
  if (!tensor.is_cuda()) {
    here_ = tensor.to(torch::kCPU);
    return;
  }
  here_ = transfer_buffer(tensor.sizes(), tensor.scalar_type());
  here_.copy_(tensor, /*non_blocking=*/true);
  const c10::impl::VirtualGuardImpl devices(tensor.device().type());
  copied_.emplace(tensor.device().type());
  copied_->record(devices.getStream(tensor.device()));
}

const torch::Tensor& Arriving::get() {
  // LibTorch 1.13 has no other way to wait for an event alone, without CUDA's headers.
  while (copied_ && !copied_->query()) std::this_thread::sleep_for(std::chrono::microseconds(50));
  copied_.reset();
  return here_;
}

}  // namespace kindred::system
