#include "drop_block.h"

#include <doctest/doctest.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kindred/nn/chain_backbone.h"
#include "kindred/nn/tensor_module.h"

using my_plugins::DropBlock;

namespace {

class OneConvolution final : public kindred::TensorModule {
 public:
  OneConvolution() : conv_(register_module("conv", torch::nn::Conv2d(3, 4, 1))) {}
  torch::Tensor forward(const torch::Tensor& input) override { return conv_->forward(input); }

 private:
  torch::nn::Conv2d conv_;
};

class OneBlock final : public kindred::ChainBackbone {
 public:
  OneBlock() { assemble(1); }
  [[nodiscard]] std::int64_t channels() const override { return 4; }

 protected:
  [[nodiscard]] std::vector<kindred::BlockRecipe> block_recipes(std::int64_t) const override {
    return {{"block", [] { return std::make_shared<OneConvolution>(); }}};
  }
};

std::shared_ptr<DropBlock> made_head(double height, std::uint64_t seed = 1) {
  OneBlock backbone;
  return std::make_shared<DropBlock>(
      DropBlock::Params{.height = height},
      DropBlock::Context{backbone, 5, std::make_shared<kindred::RandomStream>(seed)});
}

/// One channel pattern whose value in row r is r: the maximum tells which rows are left.
torch::Tensor rising_map() {
  return torch::arange(10, torch::kFloat32).view({1, 1, 10, 1}).expand({2, 4, 10, 3});
}

}  // namespace

TEST_CASE("in training a band of rows is left out, the same for the whole batch") {
  const auto head = made_head(0.3);
  int without_the_last = 0;
  for (int step = 0; step < 400; ++step) {
    const auto outputs = head->forward(rising_map());
    REQUIRE(outputs.size() == 4);
    CHECK(outputs[0].equal(torch::full({2, 4}, 4.5)));
    const auto largest = outputs[1][0][0].item<double>();
    CHECK(outputs[1].equal(torch::full({2, 4}, largest)));
    // The band of 3 rows hides the last row when it begins at 7, the last of 8 places.
    CHECK((largest == 9 || largest == 6));
    without_the_last += largest == 6 ? 1 : 0;
  }
  CHECK(without_the_last > 25);
  CHECK(without_the_last < 80);
}

TEST_CASE("in evaluation the whole map counts, and only the descriptor is given") {
  const auto head = made_head(0.9);
  head->eval();
  const auto outputs = head->forward(rising_map());
  REQUIRE(outputs.size() == 1);
  REQUIRE(outputs[0].sizes() == torch::IntArrayRef({2, 8}));
  // A new batch norm divides by sqrt(1 + 1e-5).
  CHECK(outputs[0][0][0].item<double>() == doctest::Approx(4.5).epsilon(1e-4));
  CHECK(outputs[0][0][4].item<double>() == doctest::Approx(9).epsilon(1e-4));
}

TEST_CASE("the stream decides the bands") {
  const auto maxima = [](std::uint64_t seed) {
    const auto head = made_head(0.9, seed);
    std::vector<double> values;
    for (int step = 0; step < 20; ++step)
      values.push_back(head->forward(rising_map())[1].max().item<double>());
    return values;
  };
  CHECK(maxima(1) == maxima(1));
  CHECK(maxima(1) != maxima(2));
}
