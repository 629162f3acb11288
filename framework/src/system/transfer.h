// Memory that a GPU copies from by itself.
#pragma once

#include <torch/types.h>

namespace kindred::system {

/// A tensor on the CPU, not initialised, contiguous, in pinned (page-locked) memory: it goes back to LibTorch's
/// own stock and is used again, and not before the GPU has copied what was last in it. So whoever copies from
/// it without waiting must not keep it to write into it again. Where the system has no pinned memory left, and
/// without a GPU, the memory is plain.
[[nodiscard]] torch::Tensor transfer_buffer(torch::IntArrayRef sizes, torch::ScalarType type);

}  // namespace kindred::system
