#include "system/rank_machine.h"

#include <doctest/doctest.h>
#include <torch/cuda.h>

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
