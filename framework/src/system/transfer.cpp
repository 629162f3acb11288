#include "system/transfer.h"

#include <c10/util/Exception.h>
#include <torch/cuda.h>
#include <torch/utils.h>

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

}  // namespace kindred::system
