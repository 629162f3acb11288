#include "system/rank_machine.h"

#include <torch/cuda.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kindred/core/error.h"
#include "system/device.h"

namespace kindred::system {

namespace {

/// Whether a recipe leaves it open which GPU.
bool may_be_any_gpu(const std::string& device) {
  return device == "auto" || device == "cuda";
}

torch::Device own_gpu(const RankPlace& place) {
  const auto gpus = static_cast<int>(torch::cuda::device_count());
  if (place.local_rank >= gpus) {
    throw Error("rank " + std::to_string(place.rank) + ": error: is number " +
                std::to_string(place.local_rank) + " of its machine, counted from 0, which has " +
                std::to_string(gpus) + (gpus == 1 ? " GPU" : " GPUs") +
                "; start one rank for each GPU, or set machine.device, to 'cuda:0' where each rank sees its "
                "own GPU alone, as with SLURM's --gpus-per-task");
  }
  return resolve_device("cuda:" + std::to_string(place.local_rank));
}

}  // namespace

torch::Device device_of_rank(const std::string& device, const RankPlace& place) {
  if (place.local_count == 1 || !may_be_any_gpu(device) || torch::cuda::device_count() == 0) {
    return resolve_device(device);
  }
  // The rank's own alone is tried: a process that has computed on a GPU holds some of its memory to its end,
  // and those of all ranks would be held on the first one.
  if (device == "cuda") return own_gpu(place);
  try {
    return own_gpu(place);
  } catch (const Error&) {
    if (resolve_device(device).is_cuda()) throw;
    return torch::kCPU;  // none of them works
  }
}

std::optional<std::string> device_of_job(const std::string& device, std::int64_t job) {
  if (!may_be_any_gpu(device) || !resolve_device(device).is_cuda()) return std::nullopt;
  return "cuda:" + std::to_string(job % static_cast<std::int64_t>(torch::cuda::device_count()));
}

std::int64_t threads_of_rank(std::int64_t threads, const RankPlace& place, const Processors& machine) {
  if (threads > 0 || place.local_count == 1) return threads;
  // A job or a container may leave all ranks together few processors, too: those are shared.
  const bool is_bound = place.may_be_bound && machine.in_mask * place.local_count <= machine.all;
  auto own = is_bound ? machine.in_mask : machine.in_mask / place.local_count;
  if (machine.quota) {
    own = std::min(own, static_cast<std::int64_t>(std::ceil(*machine.quota)) / place.local_count);
  }
  return std::max<std::int64_t>(1, own);
}

}  // namespace kindred::system
