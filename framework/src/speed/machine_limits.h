// What the machine can do at most, measured.
#pragma once

#include "system/precision.h"

namespace kindred::speed {

/// FLOP a second of the product of two square matrices, the best of several sizes; with the threads of
/// LibTorch. Medians.
/// @param seconds about how long it is measured
[[nodiscard]] double product_flops_per_second(const system::Computing& computing, double seconds = 2);

/// Bytes a second that are copied from one place in memory to another (each is read once and written once),
/// of blocks too large for a cache; with the threads of LibTorch, or on the GPU.
[[nodiscard]] double copied_bytes_per_second(torch::Device device, double seconds = 1);

}  // namespace kindred::speed
