#include "kindred/nn/residual_network.h"
#include "tensor_checks.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace kindred;  // NOLINT
using kindred::test::parameter_count;
using Shape = std::vector<std::int64_t>;

namespace {

Shape stride_of(ResidualNetwork& net, const std::string& conv) {
  for (const auto& item : net.trunk(net.blocks().back())->named_modules()) {
    if (item.key() != conv) continue;
    const auto stride = item.value()->as<torch::nn::Conv2d>()->options.stride();
    return {stride->at(0), stride->at(1)};
  }
  FAIL("no module " << conv);
  return {};
}

}  // namespace

TEST_CASE("groups give ResNeXt and group width the wide network, with the published sizes") {
  // torchvision's resnext50_32x4d and wide_resnet50_2, less their 1000-class "fc".
  ResidualNetwork resnext({.groups = 32, .width_per_group = 4});
  CHECK(parameter_count(resnext) == 25028904 - 2049000);
  ResidualNetwork wide({.width_per_group = 128});
  CHECK(parameter_count(wide) == 68883240 - 2049000);
}

TEST_CASE("each group of a narrow network has at least one channel") {
  // 8 planes x 4 / 64 would be none.
  ResidualNetwork net({.stages = {1}, .width_multiplier = 0.125, .groups = 32, .width_per_group = 4});
  const auto trunk = net.trunk("layer1.0");
  CHECK(trunk->named_parameters()["layer1.0.conv2.weight"].sizes().vec() == Shape{32, 1, 3, 3});
  CHECK(trunk->propagate(torch::rand({2, 3, 32, 16})).values.sizes().vec() == Shape{2, 32, 4, 2});
}

TEST_CASE("the stride of a bottleneck stands where it is asked for, and in the shortcut") {
  ResidualNetwork second({.stages = {1, 1, 1, 1}, .width_multiplier = 0.125});
  CHECK(stride_of(second, "layer2.0.conv1") == Shape{1, 1});
  CHECK(stride_of(second, "layer2.0.conv2") == Shape{2, 2});
  CHECK(stride_of(second, "layer2.0.downsample.0") == Shape{2, 2});
  ResidualNetwork first(
      {.stages = {1, 1, 1, 1}, .last_stride = 1, .width_multiplier = 0.125, .stride_in_first = true});
  CHECK(stride_of(first, "layer2.0.conv1") == Shape{2, 2});
  CHECK(stride_of(first, "layer2.0.conv2") == Shape{1, 1});
  CHECK(stride_of(first, "layer4.0.conv1") == Shape{1, 1});
  CHECK(stride_of(first, "layer4.0.downsample.0") == Shape{1, 1});
}

TEST_CASE("squeeze and excitation scales each channel between 0 and 1 ahead of the residual sum") {
  const torch::NoGradGuard no_grad;
  ResidualNetwork net({.stages = {2}, .width_multiplier = 0.125, .se_reduction = 16});
  const auto trunk = net.trunk("layer1.1");
  trunk->eval();
  auto parameters = trunk->named_parameters();
  CHECK(parameters["layer1.1.se_module.fc1.weight"].sizes().vec() == Shape{2, 32, 1, 1});
  CHECK(parameters["layer1.1.se_module.fc2.weight"].sizes().vec() == Shape{32, 2, 1, 1});

  const auto images = torch::rand({1, 3, 32, 16});
  const auto input = net.trunk("layer1.0")->propagate(images).values;
  // With fc2 = 0 and a large bias the sigmoid is 1 or 0: all of the residual or none of it.
  parameters["layer1.1.se_module.fc2.weight"].zero_();
  parameters["layer1.1.se_module.fc2.bias"].fill_(-100);
  CHECK(torch::equal(trunk->propagate(images).values, input));
  parameters["layer1.1.se_module.fc2.bias"].fill_(0);
  const auto half = trunk->propagate(images).values - input;
  parameters["layer1.1.se_module.fc2.bias"].fill_(100);
  const auto whole = trunk->propagate(images).values - input;
  // Where the ReLU behind the sum did not cut.
  const auto open = (input + whole).gt(0);
  CHECK(whole.abs().max().item<double>() > 0);
  CHECK(torch::allclose(half.masked_select(open) * 2, whole.masked_select(open), 1e-4, 1e-5));
}

TEST_CASE("another first normalization is made for every block of its stage") {
  std::vector<std::pair<std::int64_t, std::int64_t>> made;
  ResidualNetworkOptions options{.stages = {1, 2}, .width_multiplier = 0.25};
  options.first_norm = [&](std::int64_t stage, std::int64_t channels) {
    made.emplace_back(stage, channels);
    return torch::nn::AnyModule(
        torch::nn::InstanceNorm2d(torch::nn::InstanceNorm2dOptions(channels).affine(true)));
  };
  ResidualNetwork net(options);
  CHECK(made == std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 16}, {2, 32}, {2, 32}});
  const auto trunk = net.trunk("layer2.1");
  CHECK(trunk->named_parameters().contains("layer2.1.bn1.weight"));
  CHECK_FALSE(trunk->named_buffers().contains("layer2.1.bn1.running_mean"));
  CHECK(trunk->named_buffers().contains("layer2.1.bn2.running_mean"));
  CHECK(trunk->propagate(torch::rand({2, 3, 64, 32})).values.sizes().vec() == Shape{2, 128, 8, 4});
}

TEST_CASE("a last stage that keeps its channels has the same tensors for either stride") {
  // At this width both stages have 8 channels x 4: only the stride would ask for a shortcut.
  const ResidualNetwork net({.stages = {1, 1}, .width_multiplier = 0.01});
  const torch::NoGradGuard no_grad;
  const auto map = torch::rand({1, 32, 8, 4});
  CHECK(net.copy_rest("layer1.0", 1)->propagate(map).values.sizes().vec() == Shape{1, 32, 8, 4});
  CHECK(net.copy_rest("layer1.0", 2)->propagate(map).values.sizes().vec() == Shape{1, 32, 4, 2});
}

TEST_CASE("both memory formats give the same map") {
  const torch::NoGradGuard no_grad;
  ResidualNetwork net({.stages = {1, 1, 1, 1}, .width_multiplier = 0.25, .se_reduction = 16});
  const auto trunk = net.trunk("layer4.0");
  trunk->eval();
  const auto images = torch::rand({2, 3, 64, 32});
  const auto plain = trunk->propagate(images).values;
  const auto last = trunk->propagate(images.contiguous(torch::MemoryFormat::ChannelsLast)).values;
  CHECK(last.is_contiguous(torch::MemoryFormat::ChannelsLast));
  CHECK(torch::allclose(plain, last, 1e-3, 1e-4));
}

TEST_CASE("options that no network has are refused") {
  CHECK_THROWS_AS(ResidualNetwork({.stages = {}}), std::logic_error);
  CHECK_THROWS_AS(ResidualNetwork({.stages = {1, 0}}), std::logic_error);
  CHECK_THROWS_AS(ResidualNetwork({.width_multiplier = 0}), std::logic_error);
  CHECK_THROWS_AS(ResidualNetwork({.last_stride = 0}), std::logic_error);
  CHECK_THROWS_AS(ResidualNetwork({.block = ResidualBlock::basic, .groups = 32}), std::logic_error);
  CHECK_THROWS_AS((void)residual_stages(42), std::logic_error);
}

TEST_CASE("non-local blocks follow the last blocks of their stages, and change nothing at first") {
  const torch::NoGradGuard no_grad;
  ResidualNetwork net({.stages = {1, 2}, .width_multiplier = 0.125, .non_local = {0, 1}});
  CHECK(net.blocks() == std::vector<std::string>{"stem", "layer1.0", "layer2.0", "layer2.1", "non_local2.0"});
  const auto whole = net.trunk("non_local2.0");
  const auto before = net.trunk("layer2.1");
  whole->eval();
  const auto images = torch::rand({1, 3, 64, 32});
  const auto map = before->propagate(images).values;
  CHECK(torch::equal(whole->propagate(images).values, map));

  // With one output channel told apart, the definition: theta(x_i) phi(x_j) g(x_j), averaged over j.
  auto parameters = whole->named_parameters();
  parameters["non_local2.0.W.1.weight"].fill_(1);
  const auto inner = [&](const std::string& name) {
    const auto weight = parameters["non_local2.0." + name + ".weight"];
    return torch::conv2d(map, weight, parameters["non_local2.0." + name + ".bias"]).flatten();
  };
  const auto pairs = torch::outer(inner("theta"), inner("phi")) / static_cast<double>(map[0][0].numel());
  const auto gathered = torch::mv(pairs, inner("g")).view({1, 1, map.size(2), map.size(3)});
  const auto added =
      torch::conv2d(gathered, parameters["non_local2.0.W.0.weight"], parameters["non_local2.0.W.0.bias"]);
  const auto expected = map + added / std::sqrt(1 + 1e-5);
  const auto error = (whole->propagate(images).values - expected).abs().max() / expected.abs().max();
  CHECK(error.item<double>() < 1e-6);
}

TEST_CASE("non-local blocks are counted for each stage, and no stage has more than residual ones") {
  CHECK_THROWS_AS(ResidualNetwork({.stages = {1, 1}, .non_local = {1}}), std::logic_error);
  CHECK_THROWS_AS(ResidualNetwork({.stages = {1, 1}, .non_local = {0, 2}}), std::logic_error);
  CHECK(non_local_blocks(101) == std::vector<std::int64_t>{0, 2, 9, 0});
  CHECK_THROWS_AS(static_cast<void>(non_local_blocks(18)), std::logic_error);
}

namespace {

/// What a block with squeeze and excitation is by LibTorch's operations alone.
torch::Tensor plain_excited_block(const torch::OrderedDict<std::string, torch::Tensor>& parameters,
                                  const torch::Tensor& input) {
  const auto of = [&](const std::string& name) { return parameters["layer1.0." + name]; };
  const auto normalized = [&](const torch::Tensor& map, const std::string& name) {
    return torch::batch_norm(map, of(name + ".weight"), of(name + ".bias"), {}, {}, /*training=*/true, 0.1,
                             1e-5, false);
  };
  auto map = normalized(torch::conv2d(input, of("conv1.weight")), "bn1").relu();
  map = normalized(torch::conv2d(map, of("conv2.weight"), {}, 1, 1), "bn2").relu();
  map = normalized(torch::conv2d(map, of("conv3.weight")), "bn3");
  const auto hidden =
      torch::conv2d(map.mean({2, 3}, true), of("se_module.fc1.weight"), of("se_module.fc1.bias")).relu();
  map = map * torch::conv2d(hidden, of("se_module.fc2.weight"), of("se_module.fc2.bias")).sigmoid();
  const auto projected = torch::conv2d(input, of("downsample.0.weight"));
  map = map + torch::batch_norm(projected, of("downsample.1.weight"), of("downsample.1.bias"), {}, {}, true,
                                0.1, 1e-5, false);
  return map.relu();
}

}  // namespace

TEST_CASE("a block with squeeze and excitation learns as LibTorch's operations one after the other") {
  torch::manual_seed(4);
  ResidualNetwork net({.stages = {1}, .width_multiplier = 0.25, .se_reduction = 4});
  const auto block = net.copy_rest("stem", 1);
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : block->parameters()) {
      if (parameter.dim() == 1) parameter.add_(torch::randn_like(parameter) * 0.3);
    }
  }
  const auto parameters = block->named_parameters();
  for (const bool last : {true, false}) {
    CAPTURE(last);
    auto input = torch::randn({3, 16, 9, 5});
    if (last) input = input.contiguous(torch::MemoryFormat::ChannelsLast);
    input.requires_grad_();
    const auto weights = torch::randn({3, 64, 9, 5});
    const auto gradients_of = [&](const torch::Tensor& output) {
      auto wanted = parameters.values();
      wanted.push_back(input);
      return torch::autograd::grad({(output * weights).sum()}, wanted);
    };
    const auto output = block->propagate(input).values;
    const auto expected = plain_excited_block(parameters, input);
    CHECK((output - expected).abs().max().item<double>() < 1e-5 * expected.abs().max().item<double>());
    const auto found = gradients_of(output);
    const auto right = gradients_of(expected);
    for (std::size_t i = 0; i < right.size(); ++i) {
      CAPTURE(i);
      CHECK((found[i] - right[i]).abs().max().item<double>() <
            2e-5 * std::max(0.1, right[i].abs().max().item<double>()));
    }
  }
}
