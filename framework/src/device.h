// Devices and threads of this machine.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

namespace kindred {

/// "auto" (CUDA when it works here, else CPU), "cpu", "cuda" or "cuda:N". Throws Error saying what there is.
[[nodiscard]] torch::Device resolve_device(const std::string& name);

/// Processors that this process may use (affinity and cgroup quota respected), at least 1.
[[nodiscard]] std::int64_t usable_processors();

/// Sets the threads of LibTorch, OpenBLAS and OpenCV. 0: all usable processors.
void set_threads(std::int64_t threads);

}  // namespace kindred
