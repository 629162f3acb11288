#include "resnet_ibn.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/tensor_module.h"
#include "mgn.h"
#include "tensor_checks.h"

using kindred::resnet_ibn::ResnetIbn;
using kindred::test::parameter_count;
using Shape = std::vector<std::int64_t>;

namespace {}  // namespace

TEST_CASE("every depth has ResNet's number of parameters") {
  // Scale and shift of a channel are two parameters, whichever normalization they belong to. torchvision's
  // published counts minus the 1000-class "fc".
  const std::map<std::int64_t, std::int64_t> published = {
      {18, 11689512 - 513000}, {34, 21797672 - 513000}, {50, 25557032 - 2049000}, {101, 44549160 - 2049000}};
  for (const auto& entry : published) {
    const auto depth = entry.first;
    CAPTURE(depth);
    ResnetIbn net({.depth = depth}, {});
    CHECK(parameter_count(net) == entry.second);
    CHECK(net.channels() == (depth < 50 ? 512 : 2048));
  }
}

TEST_CASE("tensors have IBN-Net's names and shapes") {
  ResnetIbn net({}, {});
  const auto trunk = net.trunk("layer4.2");
  const auto parameters = trunk->named_parameters();
  const auto buffers = trunk->named_buffers();
  const std::map<std::string, Shape> expected = {{"conv1.weight", {64, 3, 7, 7}},
                                                 {"bn1.weight", {64}},
                                                 {"layer1.0.conv1.weight", {64, 64, 1, 1}},
                                                 {"layer1.0.bn1.IN.weight", {32}},
                                                 {"layer1.0.bn1.IN.bias", {32}},
                                                 {"layer1.0.bn1.BN.weight", {32}},
                                                 {"layer1.0.bn2.weight", {64}},
                                                 {"layer1.0.downsample.1.weight", {256}},
                                                 {"layer2.3.bn1.BN.bias", {64}},
                                                 {"layer3.5.bn1.IN.weight", {128}},
                                                 {"layer4.0.bn1.weight", {512}},
                                                 {"layer4.2.bn1.bias", {512}},
                                                 {"layer4.2.conv3.weight", {2048, 512, 1, 1}}};
  for (const auto& entry : expected) {
    const auto& name = entry.first;
    CAPTURE(name);
    REQUIRE(parameters.contains(name));
    CHECK(parameters[name].sizes().vec() == entry.second);
  }
  CHECK_FALSE(parameters.contains("layer1.0.bn1.weight"));
  CHECK_FALSE(parameters.contains("layer4.0.bn1.IN.weight"));
  // 53 convolutions and batch norms; 3 + 4 + 6 blocks have an instance norm more, which has no statistics.
  CHECK(parameters.size() == 53 * 3 + 13 * 2);
  CHECK(buffers.size() == 53 * 3);
  CHECK(buffers.contains("layer1.0.bn1.BN.running_mean"));
  CHECK_FALSE(buffers.contains("layer1.0.bn1.IN.running_mean"));
}

TEST_CASE("half of the channels are normalized by each image itself, the others by the batch's statistics") {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  ResnetIbn net({.depth = 18, .width_multiplier = 0.25}, {});
  const auto block = net.trunk("layer1.0");
  auto parameters = block->named_parameters();
  auto buffers = block->named_buffers();
  for (const std::string norm : {"layer1.0.bn1.IN", "layer1.0.bn1.BN"}) {
    parameters[norm + ".weight"].uniform_(0.5, 1.5);
    parameters[norm + ".bias"].normal_();
  }
  buffers["layer1.0.bn1.BN.running_mean"].normal_();
  buffers["layer1.0.bn1.BN.running_var"].uniform_(0.5, 2);
  block->eval();

  const auto input = net.trunk("stem")->propagate(torch::randn({3, 3, 64, 32})).values;
  const auto raw = torch::conv2d(input, parameters["layer1.0.conv1.weight"], {}, 1, 1);
  const auto column = [](const torch::Tensor& values) { return values.view({1, -1, 1, 1}); };
  const auto instance = raw.narrow(1, 0, 8);
  const auto batch = raw.narrow(1, 8, 8);
  const auto mean = instance.mean({2, 3}, true);
  const auto variance = (instance - mean).square().mean({2, 3}, true);
  const auto first =
      (instance - mean) / (variance + 1e-5).sqrt() * column(parameters["layer1.0.bn1.IN.weight"]) +
      column(parameters["layer1.0.bn1.IN.bias"]);
  const auto second = (batch - column(buffers["layer1.0.bn1.BN.running_mean"])) /
                          (column(buffers["layer1.0.bn1.BN.running_var"]) + 1e-5).sqrt() *
                          column(parameters["layer1.0.bn1.BN.weight"]) +
                      column(parameters["layer1.0.bn1.BN.bias"]);
  const auto inner = torch::cat({first, second}, 1).relu();
  // The second norm of the block is fresh: mean 0, variance 1.
  const auto residual =
      torch::conv2d(inner, parameters["layer1.0.conv2.weight"], {}, 1, 1) / std::sqrt(1.0 + 1e-5);
  const auto expected = (residual + input).relu();

  const auto module = std::dynamic_pointer_cast<kindred::TensorModule>(block->named_modules()["layer1.0"]);
  REQUIRE(module != nullptr);
  CHECK(torch::allclose(module->forward(input), expected, 1e-3, 1e-4));
}

TEST_CASE("a last stride of 1 keeps the map twice as high and wide, in both memory formats") {
  const torch::NoGradGuard no_grad;
  for (const std::int64_t depth : {18, 50}) {
    CAPTURE(depth);
    const std::int64_t channels = depth == 18 ? 64 : 256;
    for (const std::int64_t stride : {1, 2}) {
      ResnetIbn net({.depth = depth, .last_stride = stride, .width_multiplier = 0.125}, {});
      const auto trunk = net.trunk(net.blocks().back());
      trunk->eval();
      const auto images = torch::rand({2, 3, 128, 64});
      const auto map = trunk->propagate(images).values;
      CHECK(map.sizes().vec() == Shape{2, channels, 8 / stride, 4 / stride});
      const auto last = trunk->propagate(images.contiguous(torch::MemoryFormat::ChannelsLast)).values;
      CHECK(last.is_contiguous(torch::MemoryFormat::ChannelsLast));
      CHECK(torch::allclose(map, last, 1e-3, 1e-4));
    }
  }
}

TEST_CASE("an image's map does not depend on the others of its batch in evaluation") {
  const torch::NoGradGuard no_grad;
  ResnetIbn net({.depth = 18, .width_multiplier = 0.125}, {});
  const auto trunk = net.trunk("layer4.1");
  trunk->eval();
  const auto images = torch::rand({3, 3, 64, 32});
  CHECK(torch::allclose(trunk->propagate(images).values[1],
                        trunk->propagate(images.narrow(0, 1, 1)).values[0], 1e-3, 1e-4));
}

TEST_CASE("MGN's branches are copies with both kinds of normalization") {
  const torch::NoGradGuard no_grad;
  ResnetIbn net({.depth = 18, .width_multiplier = 0.25}, {});
  net.trunk("layer4.1")->named_parameters()["layer3.1.bn1.IN.weight"].uniform_(0.5, 1.5);
  kindred::mgn::Mgn head({.reduced_dim = 16}, {net, 5});
  const auto parameters = head.named_parameters();
  const auto original = net.trunk("layer4.1")->named_parameters();
  for (const std::string name : {"layer3.1.bn1.IN.weight", "layer3.1.bn1.BN.bias", "layer4.0.bn1.weight"}) {
    CAPTURE(name);
    REQUIRE(parameters.contains("branch3." + name));
    CHECK(torch::equal(parameters["branch3." + name], original[name]));
    CHECK(parameters["branch3." + name].data_ptr() != original[name].data_ptr());
  }
  const auto map = head.trunk()->propagate(torch::rand({2, 3, 128, 64})).values;
  CHECK(map.sizes().vec() == Shape{2, 64, 8, 4});
  CHECK(head.forward(map).back().sizes().vec() == Shape{2, 8 * 16});
  CHECK(net.copy_rest("layer3.0", 1)->propagate(map).values.sizes().vec() == Shape{2, 128, 8, 4});
  CHECK(net.copy_rest("layer3.0", 2)->propagate(map).values.sizes().vec() == Shape{2, 128, 4, 2});
}

TEST_CASE("gradients reach every parameter") {
  torch::manual_seed(1);
  ResnetIbn net({.depth = 50, .width_multiplier = 0.125}, {});
  const auto trunk = net.trunk("layer4.2");
  const auto map = trunk->propagate(torch::rand({2, 3, 64, 32})).values;
  (map * torch::rand_like(map)).sum().backward();
  for (const auto& item : trunk->named_parameters()) {
    CAPTURE(item.key());
    REQUIRE(item.value().grad().defined());
    CHECK(item.value().grad().abs().sum().item<double>() > 0);
  }
}

TEST_CASE("images so small that a map is one pixel are refused with what to do") {
  ResnetIbn net({.depth = 18, .width_multiplier = 0.125}, {});
  const auto trunk = net.trunk("layer4.1");
  CHECK_THROWS_WITH_AS((void)trunk->propagate(torch::rand({2, 3, 16, 16})).values,
                       doctest::Contains("one pixel within the first three stages, where instance "
                                         "normalization sets it to zero; use larger images"),
                       kindred::ComponentError);
  CHECK_NOTHROW((void)trunk->propagate(torch::rand({2, 3, 32, 16})).values);
}

TEST_CASE("a depth that does not exist is refused with those that do") {
  kindred::Table table;
  table.set("depth", kindred::Value(std::int64_t{42}));
  kindred::Diagnostics diagnostics;
  (void)ResnetIbn::schema().parse(kindred::Value(table), "backbone 'resnet_ibn'", diagnostics);
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].message ==
        "backbone 'resnet_ibn': depth = 42 is not one of 18, 34, 50, 101 and 152");
}
