// Memory that a GPU copies from by itself.
#pragma once

#include <torch/types.h>

namespace kindred::system {

/// A tensor on the CPU, not initialised, contiguous. Pinned (page-locked) memory is given back to LibTorch's
/// own stock and used again, and not before the GPU has copied what was last in it.
/// @param pinned asks for pinned memory; where the system has none left, and without a GPU, it is plain
[[nodiscard]] torch::Tensor transfer_buffer(torch::IntArrayRef sizes, torch::ScalarType type, bool pinned);

}  // namespace kindred::system
