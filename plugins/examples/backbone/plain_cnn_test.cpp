#include "plain_cnn.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using my_plugins::PlainCnn;

namespace {

PlainCnn made_backbone(std::uint64_t seed = 1) {
  return PlainCnn({.channels = {8, 16}}, {std::make_shared<kindred::RandomStream>(seed)});
}

}  // namespace

TEST_CASE("each block halves the map") {
  auto backbone = made_backbone();
  CHECK(backbone.blocks() == std::vector<std::string>{"block1", "block2"});
  CHECK(backbone.channels() == 16);
  const auto images = torch::ones({2, 3, 32, 16});
  CHECK(backbone.trunk("block1")->propagate(images).values.sizes() == torch::IntArrayRef({2, 8, 16, 8}));
  CHECK(backbone.trunk("block2")->propagate(images).values.sizes() == torch::IntArrayRef({2, 16, 8, 4}));
}

TEST_CASE("a branch keeps the resolution when it is asked to") {
  const auto backbone = made_backbone();
  const auto map = torch::ones({2, 8, 16, 8});
  CHECK(backbone.copy_rest("block1", 1)->propagate(map).values.sizes() == torch::IntArrayRef({2, 16, 16, 8}));
  CHECK(backbone.copy_rest("block1", 2)->propagate(map).values.sizes() == torch::IntArrayRef({2, 16, 8, 4}));
}

TEST_CASE("the stream decides the first weights, whose deviation is sqrt(2 / fan out)") {
  const auto weight = [](std::uint64_t seed) {
    return made_backbone(seed).trunk("block2")->named_parameters()["block2.conv.weight"];
  };
  CHECK(weight(1).equal(weight(1)));
  CHECK_FALSE(weight(1).equal(weight(2)));
  CHECK(weight(1).std().item<double>() == doctest::Approx(0.11785).epsilon(0.1));  // sqrt(2 / (9 x 16))
}
