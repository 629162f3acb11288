// What of a machine is a rank's.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "system/ranks.h"

namespace kindred::system {

/// "cuda" without a number is the GPU of the rank's number on its machine; every other device is itself.
/// Throws Error where the machine has fewer GPUs.
[[nodiscard]] torch::Device device_of_rank(torch::Device device, const RankPlace& place);

/// 0, all usable processors, is an equal share of them, at least 1.
[[nodiscard]] std::int64_t threads_of_rank(std::int64_t threads, const RankPlace& place);

}  // namespace kindred::system
