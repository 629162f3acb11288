#include "model/random_state.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

namespace kindred::test {
using namespace kindred::model;  // NOLINT
namespace {

TEST_CASE("the state of the random generator comes back, also behind a guard's scope") {
  const torch::Device cpu(torch::kCPU);
  torch::manual_seed(5);
  const auto state = random_state(cpu);
  const auto first = torch::rand(4);
  set_random_state(state, cpu);
  CHECK(torch::equal(torch::rand(4), first));
  set_random_state(state, cpu);
  {
    const RandomStateGuard guard(cpu);
    static_cast<void>(torch::randn(7));
  }
  CHECK(torch::equal(torch::rand(4), first));
  CHECK(!state.cuda.defined());
}

}  // namespace
}  // namespace kindred::test
