#include "se_resnext.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "mgn.h"
#include "tensor_checks.h"

using kindred::se_resnext::SeResnext;
using kindred::test::parameter_count;
using Shape = std::vector<std::int64_t>;

namespace {

auto options_of(const torch::nn::Module& module, const std::string& conv) {
  for (const auto& item : module.named_modules()) {
    if (item.key() == conv) return item.value()->as<torch::nn::Conv2d>()->options;
  }
  throw std::logic_error("no module " + conv);
}

}  // namespace

TEST_CASE("both depths have the published numbers of parameters") {
  // Published with the 1000-class "last_linear": 27,559,896 and 48,955,416.
  SeResnext net50({}, {});
  CHECK(parameter_count(net50) == 27559896 - 2049000);
  CHECK(net50.channels() == 2048);
  SeResnext net101({.depth = 101}, {});
  CHECK(parameter_count(net101) == 48955416 - 2049000);
}

TEST_CASE("tensors have the names and shapes of the public weights") {
  SeResnext net({}, {});
  const auto trunk = net.trunk("layer4.2");
  const auto parameters = trunk->named_parameters();
  const std::map<std::string, Shape> expected = {
      {"layer0.conv1.weight", {64, 3, 7, 7}},        {"layer0.bn1.bias", {64}},
      {"layer1.0.conv1.weight", {128, 64, 1, 1}},    {"layer1.0.conv2.weight", {128, 4, 3, 3}},
      {"layer1.0.conv3.weight", {256, 128, 1, 1}},   {"layer1.0.se_module.fc1.weight", {16, 256, 1, 1}},
      {"layer1.0.se_module.fc2.bias", {256}},        {"layer1.0.downsample.0.weight", {256, 64, 1, 1}},
      {"layer2.3.conv2.weight", {256, 8, 3, 3}},     {"layer3.5.conv2.weight", {512, 16, 3, 3}},
      {"layer4.0.conv1.weight", {1024, 1024, 1, 1}}, {"layer4.0.downsample.0.weight", {2048, 1024, 1, 1}},
      {"layer4.2.conv2.weight", {1024, 32, 3, 3}},   {"layer4.2.conv3.weight", {2048, 1024, 1, 1}},
      {"layer4.2.se_module.fc1.bias", {128}}};
  for (const auto& entry : expected) {
    const auto& name = entry.first;
    CAPTURE(name);
    REQUIRE(parameters.contains(name));
    CHECK(parameters[name].sizes().vec() == entry.second);
  }
  // 53 convolutions and batch norms, 16 blocks with squeeze and excitation.
  CHECK(parameters.size() == 53 * 3 + 16 * 4);
  CHECK(trunk->named_buffers().size() == 53 * 3);
}

TEST_CASE("the 3x3 convolution works in 32 groups and holds the stride") {
  SeResnext net({.width_multiplier = 0.25}, {});
  const auto trunk = net.trunk("layer4.2");
  for (const std::string block : {"layer2.0", "layer4.0"}) {
    CAPTURE(block);
    const std::int64_t stride = block == "layer2.0" ? 2 : 1;
    CHECK(options_of(*trunk, block + ".conv1").stride()->at(0) == 1);
    CHECK(options_of(*trunk, block + ".conv1").groups() == 1);
    CHECK(options_of(*trunk, block + ".conv2").stride()->at(0) == stride);
    CHECK(options_of(*trunk, block + ".conv2").groups() == 32);
    CHECK(options_of(*trunk, block + ".downsample.0").stride()->at(0) == stride);
    CHECK(options_of(*trunk, block + ".downsample.0").kernel_size()->at(0) == 1);
  }
}

TEST_CASE("the first pooling has no padding and rounds up") {
  const torch::NoGradGuard no_grad;
  SeResnext net({.width_multiplier = 0.125}, {});
  // 130 x 66 -> 65 x 33 by the convolution; padding would make 33 x 17 of it.
  CHECK(net.trunk("layer0")->propagate(torch::rand({1, 3, 130, 66})).values.sizes().vec() ==
        Shape{1, 8, 32, 16});
}

TEST_CASE("a last stride of 1 keeps the map twice as high and wide, at the least width too") {
  const torch::NoGradGuard no_grad;
  SeResnext fine({.width_multiplier = 0.125}, {});
  SeResnext coarse({.last_stride = 2, .width_multiplier = 0.125}, {});
  const auto images = torch::rand({2, 3, 128, 64});
  CHECK(fine.trunk("layer4.2")->propagate(images).values.sizes().vec() == Shape{2, 256, 8, 4});
  CHECK(coarse.trunk("layer4.2")->propagate(images).values.sizes().vec() == Shape{2, 256, 4, 2});
  // 8 planes x 4 / 64 would be no channel at all.
  CHECK(fine.trunk("layer4.2")->named_parameters()["layer1.0.conv2.weight"].sizes().vec() ==
        Shape{32, 1, 3, 3});
}

TEST_CASE("MGN's branches are copies behind the cut") {
  const torch::NoGradGuard no_grad;
  SeResnext net({.width_multiplier = 0.25}, {});
  kindred::mgn::Mgn head({.reduced_dim = 16}, {net, 5});
  const auto parameters = head.named_parameters();
  const auto original = net.trunk("layer4.2")->named_parameters();
  for (const std::string name : {"layer3.1.conv2.weight", "layer4.2.se_module.fc1.weight"}) {
    CAPTURE(name);
    REQUIRE(parameters.contains("branch1." + name));
    CHECK(torch::equal(parameters["branch1." + name], original[name]));
    CHECK(parameters["branch1." + name].data_ptr() != original[name].data_ptr());
  }
  const auto map = head.trunk()->propagate(torch::rand({2, 3, 128, 64})).values;
  CHECK(map.sizes().vec() == Shape{2, 256, 8, 4});
  CHECK(head.forward(map).back().sizes().vec() == Shape{2, 8 * 16});
  CHECK(net.copy_rest("layer3.0", 1)->propagate(map).values.sizes().vec() == Shape{2, 512, 8, 4});
  CHECK(net.copy_rest("layer3.0", 2)->propagate(map).values.sizes().vec() == Shape{2, 512, 4, 2});
}

TEST_CASE("gradients reach every parameter") {
  torch::manual_seed(1);
  SeResnext net({.width_multiplier = 0.5}, {});
  const auto trunk = net.trunk("layer4.2");
  const auto map = trunk->propagate(torch::rand({4, 3, 64, 32})).values;
  (map * torch::rand_like(map)).sum().backward();
  for (const auto& item : trunk->named_parameters()) {
    CAPTURE(item.key());
    REQUIRE(item.value().grad().defined());
    CHECK(item.value().grad().abs().sum().item<double>() > 0);
  }
}

TEST_CASE("a depth that does not exist is refused with those that do") {
  kindred::Table table;
  table.set("depth", kindred::Value(std::int64_t{152}));
  kindred::Diagnostics diagnostics;
  (void)SeResnext::schema().parse(kindred::Value(table), "backbone 'se_resnext'", diagnostics);
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].message == "backbone 'se_resnext': depth = 152 is neither 50 nor 101");
}
