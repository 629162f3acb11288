#include "kindred/nn/transformer_block.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kindred/nn/attention.h"
#include "kindred/nn/feed_forward.h"

using namespace kindred;

namespace {

using BlockTensors = std::map<std::string, torch::Tensor>;

BlockTensors tensors_of(const torch::nn::Module& module) {
  BlockTensors tensors;
  for (const auto& item : module.named_parameters()) tensors[item.key()] = item.value();
  return tensors;
}

void randomize(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(4);
  for (auto& parameter : module.parameters()) parameter.normal_(0, 0.5);
}

torch::Tensor norm_of(const torch::Tensor& x, const BlockTensors& t, const std::string& name) {
  const auto centered = x - x.mean(-1, true);
  return centered / (centered.square().mean(-1, true) + 1e-6).sqrt() * t.at(name + ".weight") +
         t.at(name + ".bias");
}

torch::Tensor linear_of(const torch::Tensor& x, const BlockTensors& t, const std::string& name) {
  return torch::matmul(x, t.at(name + ".weight").t()) + t.at(name + ".bias");
}

// Head by head, token by token.
torch::Tensor attention_by_hand(const torch::Tensor& x, const BlockTensors& t, const std::string& prefix,
                                std::int64_t heads) {
  const auto channels = x.size(2);
  const auto d = channels / heads;
  const auto qkv = linear_of(x, t, prefix + "qkv");
  std::vector<torch::Tensor> mixed;
  for (std::int64_t head = 0; head < heads; ++head) {
    const auto q = qkv.narrow(2, head * d, d);
    const auto k = qkv.narrow(2, channels + head * d, d);
    const auto v = qkv.narrow(2, 2 * channels + head * d, d);
    const auto scores = torch::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(d));
    mixed.push_back(torch::matmul(scores.softmax(2), v));
  }
  return linear_of(torch::cat(mixed, 2), t, prefix + "proj");
}

}  // namespace

TEST_CASE("a transformer's block is that of the definition written down plainly") {
  const torch::NoGradGuard no_grad;
  TransformerBlock block({.channels = 12, .heads = 3, .hidden = 20, .layer_scale = 1e-5});
  randomize(block);
  block.eval();
  const auto t = tensors_of(block);
  const auto x = torch::randn({2, 5, 12});
  const auto middle = x + attention_by_hand(norm_of(x, t, "norm1"), t, "attn.", 3) * t.at("ls1.gamma");
  const auto hidden = linear_of(norm_of(middle, t, "norm2"), t, "mlp.fc1");
  const auto gelu = hidden * 0.5 * (1 + torch::erf(hidden / std::sqrt(2.0)));
  const auto expected = middle + linear_of(gelu, t, "mlp.fc2") * t.at("ls2.gamma");
  CHECK(torch::allclose(block.forward(x), expected, 1e-4, 1e-5));
}

TEST_CASE("a block's tensors have timm's names and shapes") {
  using Shape = std::vector<std::int64_t>;
  const auto t = tensors_of(
      TransformerBlock({.channels = 12, .heads = 3, .hidden = 20, .qkv_bias = false, .layer_scale = 1e-5}));
  const std::map<std::string, Shape> expected = {
      {"norm1.weight", {12}},   {"norm1.bias", {12}},   {"attn.qkv.weight", {36, 12}},
      {"attn.proj.bias", {12}}, {"ls1.gamma", {12}},    {"attn.proj.weight", {12, 12}},
      {"norm2.weight", {12}},   {"norm2.bias", {12}},   {"mlp.fc1.weight", {20, 12}},
      {"mlp.fc1.bias", {20}},   {"mlp.fc2.bias", {12}}, {"mlp.fc2.weight", {12, 20}},
      {"ls2.gamma", {12}}};
  CHECK(t.size() == expected.size());
  for (const auto& entry : expected) {
    const auto& name = entry.first;
    CAPTURE(name);
    REQUIRE(t.count(name) == 1);
    CHECK(t.at(name).sizes().vec() == entry.second);
  }
  CHECK(tensors_of(TransformerBlock({.channels = 12, .heads = 3, .hidden = 20})).count("ls1.gamma") == 0);
}

TEST_CASE("a block starts with a deviation of 0.02, biases of 0 and the layer scale that it is given") {
  torch::manual_seed(1);
  const auto t =
      tensors_of(TransformerBlock({.channels = 128, .heads = 2, .hidden = 512, .layer_scale = 0.1}));
  for (const std::string name : {"attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"}) {
    CAPTURE(name);
    CHECK(t.at(name + ".weight").std().item<double>() == doctest::Approx(0.02).epsilon(0.03));
    CHECK(t.at(name + ".bias").abs().sum().item<double>() == 0);
  }
  CHECK(torch::equal(t.at("ls2.gamma"), torch::full({128}, 0.1F)));
}

TEST_CASE("attention adds its bias to what is softened: where it is -infinity, nothing is looked at") {
  const auto q = torch::randn({2, 3, 4, 8});
  const auto k = torch::randn({2, 3, 4, 8});
  const auto v = torch::randn({2, 3, 4, 8});
  const auto bias = torch::randn({3, 4, 4});
  const auto expected =
      torch::matmul((torch::matmul(q, k.transpose(2, 3)) / std::sqrt(8.0) + bias).softmax(3), v);
  CHECK(torch::allclose(dot_product_attention(q, k, v, bias), expected, 1e-4, 1e-5));
  auto blind = torch::zeros({4, 4});
  blind.narrow(1, 1, 3).fill_(-std::numeric_limits<float>::infinity());
  CHECK(torch::allclose(dot_product_attention(q, k, v, blind), v.narrow(2, 0, 1).expand_as(v), 1e-4, 1e-5));
}

TEST_CASE("quick GELU is x sigmoid(1.702 x)") {
  const torch::NoGradGuard no_grad;
  FeedForward part(3, 4, FeedForwardActivation::quick_gelu);
  randomize(part);
  const auto t = tensors_of(part);
  const auto x = torch::randn({2, 3});
  const auto hidden = linear_of(x, t, "fc1");
  CHECK(torch::allclose(part.forward(x), linear_of(hidden / (1 + torch::exp(-1.702 * hidden)), t, "fc2"),
                        1e-4, 1e-5));
}

TEST_CASE("a block that is recomputed in training gives the same and keeps less") {
  const auto result = [](bool recompute, bool frozen) {
    torch::manual_seed(1);
    const auto block = std::make_shared<TransformerBlock>(
        TransformerBlockOptions{.channels = 8, .heads = 2, .hidden = 16, .recompute = recompute});
    if (frozen) {
      for (auto& parameter : block->parameters()) parameter.set_requires_grad(false);
    }
    const auto output = block->forward(torch::ones({2, 3, 8}));
    if (!frozen) output.square().sum().backward();
    return std::pair(output, block->parameters());
  };
  const auto [plain, parameters] = result(false, false);
  const auto [again, same] = result(true, false);
  CHECK(torch::equal(plain, again));
  CHECK(again.grad_fn()->name() != plain.grad_fn()->name());
  for (std::size_t i = 0; i < same.size(); ++i) CHECK(torch::equal(parameters[i].grad(), same[i].grad()));
  CHECK_FALSE(result(true, true).first.requires_grad());
}

TEST_CASE("channels that do not divide into heads are a mistake in the program") {
  CHECK_THROWS_AS(SelfAttention(10, 3), std::logic_error);
  CHECK_THROWS_AS(SelfAttention(10, 0), std::logic_error);
}
