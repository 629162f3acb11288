#include "system/precision.h"

#include <doctest/doctest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include "kindred/core/error.h"
#include "rank_threads.h"
#include "system/device.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::system;
using namespace kindred::test;

namespace {

bool product_is(torch::ScalarType type) {
  return torch::mm(torch::ones({4, 4}), torch::ones({4, 4})).scalar_type() == type;
}

}  // namespace

TEST_CASE("precisions have the names of recipes, once they have been decided on") {
  CHECK(precision_name(system::Precision::fp32) == "fp32");
  CHECK(precision_name(system::Precision::fp16) == "fp16");
  CHECK(precision_name(system::Precision::bf16) == "bf16");
  CHECK_THROWS_AS(static_cast<void>(precision_name(system::Precision::automatic)), std::logic_error);
  CHECK_THROWS_AS(Autocast({torch::kCPU, system::Precision::trained}), std::logic_error);
}

TEST_CASE("fp16 needs a GPU, and the message says what else there is") {
  CHECK(
      message_of<Error>([] { require_precision(system::Precision::fp16, torch::kCPU, "train.precision"); }) ==
      "train.precision = \"fp16\": error: needs a CUDA GPU, but this run uses cpu; choose \"fp32\" or "
      "\"auto\"");
  require_precision(system::Precision::fp32, torch::kCPU, "train.precision");
  if (can_compute(torch::kCPU, system::Precision::bf16)) {
    require_precision(system::Precision::bf16, torch::kCPU, "train.precision");
  } else {
    CHECK(message_of<Error>(
              [] { require_precision(system::Precision::bf16, torch::kCPU, "embed.precision"); }) ==
          "embed.precision = \"bf16\": error: needs a processor with AVX-512 or Arm's BF16, or a GPU, but "
          "this run uses " +
              device_text(torch::kCPU) + "; choose \"fp32\" or \"auto\"");
  }
}

TEST_CASE("what suits a processor is bf16 where it is made for it, else fp32") {
  const auto suitable = suitable_precision(torch::kCPU);
  CHECK(suitable == (is_made_for(torch::kCPU, system::Precision::bf16) ? system::Precision::bf16
                                                                       : system::Precision::fp32));
  CHECK(can_compute(torch::kCPU, suitable));
  CHECK(is_made_for(torch::kCPU, system::Precision::fp32));
  CHECK_FALSE(is_made_for(torch::kCPU, system::Precision::fp16));
  const bool able = can_compute(torch::kCPU, system::Precision::bf16);
  const bool made = is_made_for(torch::kCPU, system::Precision::bf16);
  MESSAGE("this processor computes in bf16: " << able << ", is made for it: " << made);
}

TEST_CASE("ranks compute in the first of bf16, fp16 and fp32 that suits all of them") {
  const std::vector<Precision> processor{};
  const std::vector<Precision> new_processor{Precision::bf16};
  const std::vector<Precision> gpu{Precision::fp16};
  const std::vector<Precision> new_gpu{Precision::fp16, Precision::bf16};
  const auto chosen = [](const std::array<std::vector<Precision>, 2>& devices) {
    std::array<Precision, 2> found{};
    on_ranks(2, [&](const Ranks& ranks) {
      const auto rank = static_cast<std::size_t>(ranks.rank());
      found[rank] = shared_precision(
          [&](Precision precision) {
            return std::find(devices[rank].begin(), devices[rank].end(), precision) != devices[rank].end();
          },
          ranks);
    });
    CHECK(found[0] == found[1]);
    return found[0];
  };
  CHECK(chosen({new_gpu, new_gpu}) == Precision::bf16);
  CHECK(chosen({new_gpu, gpu}) == Precision::fp16);
  CHECK(chosen({gpu, new_gpu}) == Precision::fp16);
  CHECK(chosen({new_processor, new_gpu}) == Precision::bf16);
  CHECK(chosen({new_processor, gpu}) == Precision::fp32);
  CHECK(chosen({new_processor, processor}) == Precision::fp32);
}

TEST_CASE("products are computed in the precision while the scope lasts, also in scopes within it") {
  CHECK(product_is(torch::kFloat32));
  {
    const Autocast outer({torch::kCPU, system::Precision::bf16});
    CHECK(product_is(torch::kBFloat16));
    {
      const Autocast inner({torch::kCPU, system::Precision::bf16});
      CHECK(product_is(torch::kBFloat16));
    }
    CHECK(product_is(torch::kBFloat16));
    {
      const Autocast in_full({torch::kCPU, system::Precision::fp32});
      CHECK(product_is(torch::kFloat32));
    }
    CHECK(product_is(torch::kBFloat16));
  }
  CHECK(product_is(torch::kFloat32));
  const Autocast nothing({torch::kCPU, system::Precision::fp32});
  CHECK(product_is(torch::kFloat32));
}

TEST_CASE("weights changed between two scopes are not remembered from the first") {
  auto weight = torch::ones({1, 1}).set_requires_grad(true);
  const auto product = [&] {
    const Autocast autocast({torch::kCPU, system::Precision::bf16});
    return torch::mm(torch::ones({1, 1}), weight).item<float>();
  };
  CHECK(product() == 1);
  {
    const torch::NoGradGuard no_grad;
    weight.fill_(3);
  }
  CHECK(product() == 3);
}

TEST_CASE("a layer normalization of 16 bits computes in 32 within the scope, as on GPUs") {
  if (!can_compute(torch::kCPU, system::Precision::bf16)) {
    MESSAGE("left out: this processor computes in fp32 alone");
    return;
  }
  torch::manual_seed(1);
  const auto values = torch::randn({4, 16}).to(torch::kBFloat16).set_requires_grad(true);
  const auto weight = torch::rand({16}).set_requires_grad(true);
  const auto bias = torch::rand({16});
  torch::Tensor found;
  {
    const Autocast scope({torch::kCPU, system::Precision::bf16});
    found = torch::layer_norm(values, {16}, weight, bias);
  }
  const auto expected = torch::layer_norm(values.detach().to(torch::kFloat32), {16}, weight, bias);
  CHECK(torch::allclose(found.to(torch::kFloat32), expected, 1e-2, 1e-2));
  found.to(torch::kFloat32).sum().backward();
  CHECK(values.grad().defined());
  CHECK((weight.grad().scalar_type() == torch::kFloat32));
}
