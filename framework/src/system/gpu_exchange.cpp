#include "system/gpu_exchange.h"

#ifdef KINDRED_NCCL
#include <torch/cuda.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <utility>
#endif

namespace kindred::system {

#ifdef KINDRED_NCCL

c10::intrusive_ptr<Exchange> make_gpu_exchange(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                               int count, std::chrono::seconds patience) {
  // It refuses to be made on a machine without a GPU, where there is nothing for it to exchange.
  if (!torch::cuda::is_available()) return {};
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = patience;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, count, std::move(options));
}

#else

c10::intrusive_ptr<Exchange> make_gpu_exchange(const c10::intrusive_ptr<c10d::Store>& /*store*/, int /*rank*/,
                                               int /*count*/, std::chrono::seconds /*patience*/) {
  return {};
}

#endif

}  // namespace kindred::system
