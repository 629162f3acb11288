#include "system/transfer.h"

#include <doctest/doctest.h>
#include <torch/cuda.h>
#include <torch/types.h>

using namespace kindred::system;

TEST_CASE("a buffer for transfers is pinned where there is a GPU, else plain memory of the same shape") {
  const auto buffer = transfer_buffer({2, 3, 5}, torch::kFloat32);
  CHECK(buffer.sizes() == torch::IntArrayRef({2, 3, 5}));
  CHECK((buffer.scalar_type() == torch::kFloat32));
  CHECK(buffer.is_contiguous());
  CHECK(buffer.device().is_cpu());
  CHECK(buffer.is_pinned() == torch::cuda::is_available());
}
