// Devices and threads of this machine, and what computes on them.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <string>

#include "system/processors.h"

namespace kindred::system {

/// "auto" (CUDA when it works here, else CPU), "cpu", "cuda" or "cuda:N". Throws Error saying what there is.
[[nodiscard]] torch::Device resolve_device(const std::string& name);

/// Sets the threads of LibTorch and OpenBLAS. 0: all usable processors. Throws Error when the system does not
/// start so many.
void set_computing_threads(std::int64_t threads);

/// The same, and OpenCV is left with the calling thread alone: images are decoded by the loader's own
/// threads.
void set_threads(std::int64_t threads);

/// Moves a module's tensors to the device and stores its 4-dimensional parameters as channels_last: a third
/// faster on the CPU, needed by tensor cores on a GPU, and the same to the last bit from run to run.
/// To be called before optimizers are made: they hold the parameters.
void place_module(torch::nn::Module& module, torch::Device device);

/// Images [N, C, H, W] for a module that place_module() has placed.
[[nodiscard]] torch::Tensor place_images(const torch::Tensor& images, torch::Device device);

/// Labels [N] on the device. Like place_images(), it does not wait for what a GPU is computing.
[[nodiscard]] torch::Tensor place_labels(const torch::Tensor& labels, torch::Device device);

/// Returns when a GPU has done all that it was told, as its own calls do not: for measurements. At once on
/// the CPU.
void wait_for(torch::Device device);

/// Whether a GPU is still computing what it was told. Never the CPU, whose calls return when that is done.
[[nodiscard]] bool is_busy(torch::Device device);

/// What multiplies matrices: "OpenBLAS 0.3.21 (openmp)", "MKL 2024.0", "reference BLAS", ...
[[nodiscard]] std::string blas_name();

/// True when it is the reference BLAS, which is some thirty times slower than OpenBLAS.
[[nodiscard]] bool blas_is_slow();

/// "cpu: AMD EPYC ..." or "cuda:0: NVIDIA ..., 80 GiB".
[[nodiscard]] std::string device_text(torch::Device device);

/// The major number of a GPU's compute capability: 7 for Volta and Turing, 8 for Ampere; 0 when it cannot be
/// told.
[[nodiscard]] int compute_capability(torch::Device gpu);

/// The processor's name, as the system gives it.
[[nodiscard]] std::string processor_name();

/// "1.13.1"
[[nodiscard]] std::string torch_version();

/// Kindred, LibTorch, OpenCV, BLAS, threads, GPU: a line each.
[[nodiscard]] std::string version_text();

}  // namespace kindred::system
