// What exchanges tensors between the GPUs of ranks: NCCL, in a build that has it.
#pragma once

#include <torch/version.h>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#if TORCH_VERSION_MAJOR >= 2
#include <torch/csrc/distributed/c10d/Backend.hpp>
#else
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

namespace kindred::system {

/// What c10d's ways to exchange tensors have in common.
#if TORCH_VERSION_MAJOR >= 2
using Exchange = c10d::Backend;
#else
using Exchange = c10d::ProcessGroup;
#endif

/// c10d's NCCL; nullptr on a machine without a GPU, and in a build without it (-DKINDRED_NCCL=ON), where Gloo
/// exchanges what lies on GPUs, by way of the processors' memory. A rank that is lost it notices after
/// `patience` alone: whoever has started the ranks ends them before.
[[nodiscard]] c10::intrusive_ptr<Exchange> make_gpu_exchange(const c10::intrusive_ptr<c10d::Store>& store,
                                                             int rank, int count,
                                                             std::chrono::seconds patience);

}  // namespace kindred::system
