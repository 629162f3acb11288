#include "system/tensor_memory.h"

#include <doctest/doctest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cstdint>
#include <thread>

#include "kindred/core/error.h"

using namespace kindred;
using namespace kindred::system;

namespace {

const DataError refusal("model.safetensors", "is too large");

/// 4,000 bytes for each.
torch::Tensor made(std::int64_t thousands) {
  return torch::empty({thousands, 1000});
}

}  // namespace

TEST_CASE("tensors together may have what the limit says, and the next is refused in its words") {
  {
    TensorMemoryLimit limit(10'000, refusal);
    static_cast<void>(made(1));  // that it is gone again does not matter
    const auto second = made(1);
    CHECK_THROWS_WITH_AS(static_cast<void>(made(1)), "model.safetensors: error: is too large", DataError);
    // What nobody could have is refused as well, before it is asked for.
    CHECK_THROWS_AS(static_cast<void>(made(1'000'000'000'000)), DataError);
    CHECK_NOTHROW(static_cast<void>(torch::empty({100})));
    CHECK(second.numel() == 1000);
  }
  CHECK_NOTHROW(static_cast<void>(made(100)));
}

TEST_CASE("a limit is for its thread alone, and the one inside counts") {
  TensorMemoryLimit limit(10'000, refusal);
  std::int64_t elsewhere = 0;
  std::thread([&] { elsewhere = made(100).numel(); }).join();
  CHECK(elsewhere == 100'000);
  {
    TensorMemoryLimit inner(1'000'000, refusal);
    CHECK_NOTHROW(static_cast<void>(made(100)));
  }
  CHECK_THROWS_AS(static_cast<void>(made(100)), DataError);
}
