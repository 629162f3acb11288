#include "kindred/nn/activations.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/tensor_module.h"

using namespace kindred;

namespace {

class Doubling final : public TensorModule {
 public:
  torch::Tensor forward(const torch::Tensor& input) override { return 2 * input; }
};

/// Two images, one token and 2 x 3 more, 4 channels: 100 image + 10 token + channel.
Activations tokens_of_places() {
  auto values = torch::empty({2, 7, 4});
  for (std::int64_t n = 0; n < 2; ++n) {
    for (std::int64_t t = 0; t < 7; ++t) {
      for (std::int64_t c = 0; c < 4; ++c) values[n][t][c] = 100 * n + 10 * t + c;
    }
  }
  Activations tokens(values);
  tokens.grid = TokenGrid{2, 3, 1};
  return tokens;
}

}  // namespace

TEST_CASE("tokens of a grid are a map, in their places and without the class token") {
  const auto tokens = tokens_of_places();
  CHECK(tokens.form() == FeatureForm::tokens);
  const auto map = tokens.map();
  REQUIRE(map.sizes().vec() == std::vector<std::int64_t>{2, 4, 2, 3});
  CHECK(map[0][0][0][0].item<float>() == 10);
  CHECK(map[0][3][0][2].item<float>() == 33);
  CHECK(map[1][2][1][0].item<float>() == 142);
  CHECK(torch::equal(tokens.class_token()[1], torch::tensor({100.0F, 101.0F, 102.0F, 103.0F})));
}

TEST_CASE("a map is a map, and has no class token") {
  const Activations map(torch::rand({2, 4, 3, 2}));
  CHECK(map.form() == FeatureForm::map);
  CHECK(torch::equal(map.map(), map.values));
  CHECK_THROWS_WITH_AS(static_cast<void>(map.class_token()),
                       "backbone: error: gave a tensor [2, 4, 3, 2] without a class token; choose a vision "
                       "transformer that has one",
                       ComponentError);
}

TEST_CASE("a grid that does not fit, and what is neither map nor tokens, are refused") {
  auto tokens = tokens_of_places();
  tokens.grid->rows = 3;
  CHECK_THROWS_WITH_AS(static_cast<void>(tokens.map()),
                       "backbone: error: gave a tensor [2, 7, 4] for a grid of 3 x 3 tokens and 1 more",
                       ComponentError);
  CHECK_THROWS_WITH_AS(static_cast<void>(Activations(torch::rand({2, 4})).map()),
                       "backbone: error: gave a tensor [2, 4] where a map [N, C, h, w] is needed",
                       ComponentError);
}

TEST_CASE("a tensor module changes the values alone") {
  auto tokens = tokens_of_places();
  tokens.cameras = torch::tensor({3, -1}, torch::kInt64);
  const auto doubled = Doubling().propagate(tokens);
  CHECK(torch::equal(doubled.values, 2 * tokens.values));
  REQUIRE(doubled.grid);
  CHECK(doubled.grid->rows == 2);
  CHECK(doubled.grid->columns == 3);
  CHECK(torch::equal(doubled.cameras, tokens.cameras));
}
