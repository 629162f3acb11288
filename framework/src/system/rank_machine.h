// What of a machine is a rank's, or a job's.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "system/processors.h"
#include "system/ranks.h"

namespace kindred::system {

/// "cuda", and "auto" on a machine with GPUs, is the GPU of the rank's number on its machine; every other
/// device is itself. Throws Error where the machine has fewer GPUs, and as resolve_device().
/// @param device as machine.device
[[nodiscard]] torch::Device device_of_rank(const std::string& device, const RankPlace& place);

/// The device of one of several jobs that are done at the same time, by turns "cuda:0", "cuda:1" and so on;
/// nothing where the job's number makes no difference: for one device, and without GPUs.
/// @param device as machine.device
[[nodiscard]] std::optional<std::string> device_of_job(const std::string& device, std::int64_t job);

/// 0, all usable processors, is an equal share of them, at least 1; of a rank that is bound to processors of
/// its own, these. What a cgroup's quota allows is shared by all ranks of the machine in any case.
[[nodiscard]] std::int64_t threads_of_rank(std::int64_t threads, const RankPlace& place,
                                           const Processors& machine = processors());

}  // namespace kindred::system
