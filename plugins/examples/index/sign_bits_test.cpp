#include "sign_bits.h"

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>
#include <torch/torch.h>

using my_plugins::SignBits;

namespace {

/// A fan of directions in a plane, one degree apart.
torch::Tensor fan(std::int64_t count) {
  const auto angles = torch::arange(count, torch::kFloat) * 0.0174533F;
  return torch::stack({angles.cos(), angles.sin()}, 1).contiguous();
}

}  // namespace

TEST_CASE("the nearest of a fan of directions is found first") {
  SignBits index({.bits = 4096}, {2, 90});
  index.add(fan(90));
  const auto found = index.search(fan(90).slice(0, 40, 41).contiguous(), 3);
  REQUIRE(found.sizes().vec() == std::vector<std::int64_t>{1, 3});
  CHECK(found[0][0].item<std::int64_t>() == 40);
  for (int i = 1; i < 3; ++i) {
    const auto row = found[0][i].item<std::int64_t>();
    CHECK(row > 35);
    CHECK(row < 45);
  }
}

TEST_CASE("bits that do not fill words are refused") {
  const auto errors = [](std::int64_t bits) {
    kindred::Table table;
    table.set("bits", kindred::Value(bits));
    kindred::Diagnostics diagnostics;
    static_cast<void>(SignBits::schema().parse(kindred::Value(table), "index 'sign_bits'", diagnostics));
    return diagnostics.all().size();
  };
  CHECK(errors(128) == 0);
  CHECK(errors(100) == 1);
}

TEST_CASE("fewer rows than asked for are followed by -1, and rows that are added later are numbered on") {
  SignBits index({}, {2, 1});
  index.add(fan(1));
  index.add(fan(90).slice(0, 89, 90).contiguous());
  const auto found = index.search(fan(90).slice(0, 89, 90).contiguous(), 3);
  CHECK(found[0][0].item<std::int64_t>() == 1);
  CHECK(found[0][1].item<std::int64_t>() == 0);
  CHECK(found[0][2].item<std::int64_t>() == -1);
}
