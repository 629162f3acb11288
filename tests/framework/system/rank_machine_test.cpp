#include "system/rank_machine.h"

#include <doctest/doctest.h>
#include <torch/cuda.h>

#include <cstdint>
#include <optional>

#include "kindred/core/error.h"
#include "system/device.h"
#include "system/processors.h"

using namespace kindred;
using namespace kindred::system;

namespace {

/// The second of two ranks on one machine.
const RankPlace second{.rank = 1, .count = 2, .local_rank = 1, .local_count = 2};

}  // namespace

TEST_CASE("a rank computes on the device that is named; GPUs are shared out where none is") {
  CHECK(device_of_rank("cpu", second) == torch::Device(torch::kCPU));
  if (torch::cuda::device_count() == 0) {
    CHECK(device_of_rank("auto", second) == torch::Device(torch::kCPU));
    CHECK_THROWS_AS(static_cast<void>(device_of_rank("cuda:0", second)), Error);
  } else {
    CHECK(device_of_rank("cuda:0", second) == torch::Device(torch::kCUDA, 0));
  }
  if (torch::cuda::device_count() > 1) {
    CHECK(device_of_rank("auto", second) == torch::Device(torch::kCUDA, 1));
    CHECK(device_of_rank("cuda", second) == torch::Device(torch::kCUDA, 1));
  }
  if (torch::cuda::device_count() == 1)
    CHECK_THROWS_AS(static_cast<void>(device_of_rank("cuda", second)), Error);
}

TEST_CASE("a rank has the threads that are named, or its share of the processors") {
  CHECK(threads_of_rank(3, second) == 3);
  CHECK(threads_of_rank(0, RankPlace{}) == 0);
  const auto threads = threads_of_rank(0, second);
  CHECK(threads >= 1);
  CHECK(threads <= usable_processors());
}

TEST_CASE("ranks share the processors that a job or a container has, and keep those that they are bound to") {
  const RankPlace own{.rank = 1, .count = 4, .local_rank = 1, .local_count = 4};
  auto of_mpirun = own;
  of_mpirun.may_be_bound = true;
  const auto on = [](std::int64_t in_mask, std::optional<double> quota) {
    return Processors{.all = 64, .in_mask = in_mask, .quota = quota};
  };
  CHECK(threads_of_rank(0, own, on(64, {})) == 16);
  CHECK(threads_of_rank(0, of_mpirun, on(64, {})) == 16);
  // 'srun --ntasks 1 --cpus-per-task 8 kindred train --ranks 4', and taskset.
  CHECK(threads_of_rank(0, own, on(8, {})) == 2);
  CHECK(threads_of_rank(0, own, on(2, {})) == 1);
  CHECK(threads_of_rank(0, of_mpirun, on(8, {})) == 8);
  // 'docker run --cpus 4'
  CHECK(threads_of_rank(0, own, on(64, 4)) == 1);
  CHECK(threads_of_rank(0, own, on(64, 7.5)) == 2);
  CHECK(threads_of_rank(0, of_mpirun, on(64, 4)) == 1);
  CHECK(threads_of_rank(0, of_mpirun, on(16, 8)) == 2);
  CHECK(threads_of_rank(0, of_mpirun, on(2, 8)) == 2);
}
