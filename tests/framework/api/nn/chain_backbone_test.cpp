#include "kindred/nn/chain_backbone.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/tensor_module.h"

using namespace kindred;  // NOLINT

namespace {

class ConvBlock final : public TensorModule {
 public:
  explicit ConvBlock(std::int64_t in, std::int64_t out, std::int64_t stride) {
    conv_ = register_module(
        "conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1)));
    norm_ = register_module("norm", torch::nn::BatchNorm2d(out));
  }
  torch::Tensor forward(const torch::Tensor& input) override { return norm_(conv_(input)).relu(); }

 private:
  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
};

class ScaleBlock final : public TensorModule {
 public:
  ScaleBlock() { scale_ = register_parameter("scale", torch::ones({1})); }
  torch::Tensor forward(const torch::Tensor& input) override { return input * scale_; }

 private:
  torch::Tensor scale_;
};

// stem (names at the top), body.0, body.1, tail with the last stride.
class Net : public ChainBackbone {
 public:
  Net() { assemble(2); }
  std::int64_t channels() const override { return 6; }

 protected:
  std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override {
    const auto conv = [](std::int64_t in, std::int64_t out, std::int64_t stride) {
      return [=] { return std::make_shared<ConvBlock>(in, out, stride); };
    };
    return {{"stem", conv(3, 4, 2), BlockNames::top},
            {"body.0", conv(4, 4, 1)},
            {"body.1", conv(4, 4, 1)},
            {"tail", conv(4, 6, last_stride)}};
  }
};

std::set<std::string> names(const NetworkPart& module) {
  std::set<std::string> result;
  for (const auto& item : module.named_parameters()) result.insert(item.key());
  for (const auto& item : module.named_buffers()) {
    if (!item.key().ends_with("num_batches_tracked")) result.insert(item.key());
  }
  return result;
}

std::set<std::string> conv_block_names(const std::string& prefix) {
  return {prefix + "conv.weight", prefix + "conv.bias",         prefix + "norm.weight",
          prefix + "norm.bias",   prefix + "norm.running_mean", prefix + "norm.running_var"};
}

std::set<std::string> united(std::initializer_list<std::set<std::string>> sets) {
  std::set<std::string> all;
  for (const auto& set : sets) all.insert(set.begin(), set.end());
  return all;
}

}  // namespace

TEST_CASE("blocks are named in their order") {
  CHECK(Net().blocks() == std::vector<std::string>{"stem", "body.0", "body.1", "tail"});
}

TEST_CASE("tensors keep the whole network's names in a trunk and in a rest, whatever the cut") {
  Net net;
  CHECK(names(*net.trunk("stem")) == conv_block_names(""));
  CHECK(names(*net.trunk("body.0")) == united({conv_block_names(""), conv_block_names("body.0.")}));
  CHECK(names(*net.copy_rest("body.0", 1)) ==
        united({conv_block_names("body.1."), conv_block_names("tail.")}));
  CHECK(names(*net.copy_rest("body.1", 1)) == conv_block_names("tail."));
}

TEST_CASE("trunk and rest together compute what the whole network does") {
  const torch::NoGradGuard no_grad;
  Net net;
  const auto whole = net.trunk("tail");
  whole->eval();
  const auto images = torch::rand({2, 3, 16, 8});
  const auto expected = whole->propagate(images).values;
  for (const auto& cut : net.blocks()) {
    CAPTURE(cut);
    const auto rest = net.copy_rest(cut, 2);
    rest->eval();
    CHECK(torch::equal(rest->propagate(net.trunk(cut)->propagate(images).values).values, expected));
  }
}

TEST_CASE("trunks share their tensors") {
  Net net;
  const auto one = net.trunk("body.0");
  const auto other = net.trunk("tail");
  const auto parameters = one->named_parameters();
  for (const auto& item : parameters) {
    CAPTURE(item.key());
    CHECK(item.value().is_same(other->named_parameters()[item.key()]));
  }
}

TEST_CASE("a rest has tensors of its own with equal values, and the stride that is asked for") {
  Net net;
  const auto whole = net.trunk("tail");
  {
    const torch::NoGradGuard no_grad;
    for (auto& buffer : whole->buffers()) {
      if (buffer.is_floating_point()) buffer.uniform_(0.5, 2.0);
    }
  }
  const auto fine = net.copy_rest("body.0", 1);
  const auto coarse = net.copy_rest("body.0", 2);
  for (const auto& name : names(*fine)) {
    CAPTURE(name);
    const auto pick = [&](const NetworkPart& module) {
      const auto parameters = module.named_parameters();
      const auto* found = parameters.find(name);
      return found != nullptr ? *found : module.named_buffers()[name];
    };
    CHECK(torch::equal(pick(*fine), pick(*whole)));
    CHECK(pick(*fine).data_ptr() != pick(*whole).data_ptr());
    CHECK(pick(*fine).data_ptr() != pick(*coarse).data_ptr());
    CHECK(pick(*fine).requires_grad() == pick(*whole).requires_grad());
  }
  const auto map = net.trunk("body.0")->propagate(torch::rand({1, 3, 16, 8})).values;
  CHECK(fine->propagate(map).values.sizes().vec() == std::vector<std::int64_t>{1, 6, 8, 4});
  CHECK(coarse->propagate(map).values.sizes().vec() == std::vector<std::int64_t>{1, 6, 4, 2});
}

TEST_CASE("training one copy leaves the others as they were") {
  Net net;
  const auto whole = net.trunk("tail");
  const auto copy = net.copy_rest("body.1", 1);
  const auto before = whole->named_parameters()["tail.conv.weight"].detach().clone();
  {
    const torch::NoGradGuard no_grad;
    copy->named_parameters()["tail.conv.weight"].add_(1.0);
  }
  CHECK(torch::equal(whole->named_parameters()["tail.conv.weight"], before));
}

TEST_CASE("nothing is left behind the last block") {
  const Net net;
  const auto rest = net.copy_rest("tail", 1);
  CHECK(rest->parameters().empty());
  const auto map = torch::rand({1, 6, 4, 2});
  CHECK(torch::equal(rest->propagate(map).values, map));
}

TEST_CASE("evaluation mode reaches blocks whose names stand at the top") {
  Net net;
  const auto trunk = net.trunk("stem");
  trunk->eval();
  const auto images = torch::rand({2, 3, 16, 8});
  (void)trunk->propagate(images).values;
  CHECK(trunk->named_buffers()["norm.num_batches_tracked"].item<std::int64_t>() == 0);
  trunk->train();
  (void)trunk->propagate(images).values;
  CHECK(trunk->named_buffers()["norm.num_batches_tracked"].item<std::int64_t>() == 1);
}

TEST_CASE("a cut that does not exist is refused with the blocks that do") {
  Net net;
  const auto message = [](auto&& action) -> std::string {
    try {
      action();
    } catch (const ComponentError& error) {
      return error.what();
    }
    return "";
  };
  const auto trunk = message([&] { (void)net.trunk("body.2"); });
  CHECK(trunk.find("no block 'body.2'") != std::string::npos);
  CHECK(trunk.find("did you mean 'body.") != std::string::npos);
  CHECK(trunk.find("'stem', 'body.0', 'body.1' and 'tail'") != std::string::npos);
  CHECK(message([&] { (void)net.copy_rest("", 1); }).find("'stem'") != std::string::npos);
}

TEST_CASE("a block at the top may not have tensors that would be left without a name") {
  class Bad final : public ChainBackbone {
   public:
    Bad() { assemble(2); }
    std::int64_t channels() const override { return 3; }

   protected:
    std::vector<BlockRecipe> block_recipes(std::int64_t) const override {
      return {{"stem", [] { return std::make_shared<ScaleBlock>(); }, BlockNames::top}};
    }
  };
  CHECK_THROWS_AS(Bad(), std::logic_error);
}

TEST_CASE("a network whose tensors depend on the stride is refused instead of copied in part") {
  class Bad final : public ChainBackbone {
   public:
    Bad() { assemble(2); }
    std::int64_t channels() const override { return 3; }

   protected:
    std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override {
      return {{"stem", [] { return std::make_shared<ScaleBlock>(); }},
              {"tail", [=] { return std::make_shared<ConvBlock>(3, 2 + last_stride, last_stride); }}};
    }
  };
  const Bad net;
  CHECK_NOTHROW((void)net.copy_rest("stem", 2));
  CHECK_THROWS_AS((void)net.copy_rest("stem", 1), std::logic_error);
}
