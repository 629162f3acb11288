#include "resnet.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "tensor_checks.h"

using kindred::resnet::Resnet;
using kindred::test::parameter_count;

namespace {

torch::Tensor map_of(Resnet& net, std::int64_t height, std::int64_t width_multiplier) {
  const torch::NoGradGuard no_grad;
  auto trunk = net.trunk(net.blocks().back());
  trunk->eval();
  return trunk->propagate(torch::rand({1, 3, height, width_multiplier})).values;
}

}  // namespace

TEST_CASE("every depth has the number of parameters of torchvision's model less its classifier") {
  // torchvision's published counts minus the 1000-class "fc".
  const std::map<std::int64_t, std::int64_t> published = {{18, 11689512 - 513000},
                                                          {34, 21797672 - 513000},
                                                          {50, 25557032 - 2049000},
                                                          {101, 44549160 - 2049000},
                                                          {152, 60192808 - 2049000}};
  for (const auto& entry : published) {
    const auto depth = entry.first;
    CAPTURE(depth);
    Resnet net({.depth = depth}, {});
    CHECK(parameter_count(net) == entry.second);
    CHECK(net.channels() == (depth < 50 ? 512 : 2048));
  }
}

TEST_CASE("tensors have torchvision's names and shapes") {
  Resnet net({.depth = 50}, {});
  const auto trunk = net.trunk("layer4.2");
  const auto parameters = trunk->named_parameters();
  const std::map<std::string, std::vector<std::int64_t>> expected = {
      {"conv1.weight", {64, 3, 7, 7}},
      {"bn1.weight", {64}},
      {"layer1.0.conv1.weight", {64, 64, 1, 1}},
      {"layer1.0.bn3.bias", {256}},
      {"layer1.0.downsample.0.weight", {256, 64, 1, 1}},
      {"layer1.0.downsample.1.weight", {256}},
      {"layer3.5.conv2.weight", {256, 256, 3, 3}},
      {"layer4.0.downsample.0.weight", {2048, 1024, 1, 1}},
      {"layer4.2.conv3.weight", {2048, 512, 1, 1}}};
  for (const auto& entry : expected) {
    const auto& name = entry.first;
    CAPTURE(name);
    REQUIRE(parameters.contains(name));
    CHECK(parameters[name].sizes().vec() == entry.second);
  }
  // 53 convolutions, and weight and bias of as many batch norms.
  CHECK(parameters.size() == 53 * 3);
  CHECK(trunk->named_buffers().size() == 53 * 3);
  CHECK(trunk->named_buffers().contains("bn1.running_mean"));
  CHECK(trunk->named_buffers().contains("layer4.0.downsample.1.num_batches_tracked"));
  CHECK_FALSE(parameters.contains("layer1.1.downsample.0.weight"));
}

TEST_CASE("blocks can be named for cutting, from the stem to the last residual block") {
  const Resnet net({.depth = 18}, {});
  CHECK(net.blocks() == std::vector<std::string>{"stem", "layer1.0", "layer1.1", "layer2.0", "layer2.1",
                                                 "layer3.0", "layer3.1", "layer4.0", "layer4.1"});
}

TEST_CASE("a last stride of 1 keeps the map twice as high and wide") {
  for (const std::int64_t depth : {18, 50}) {
    CAPTURE(depth);
    Resnet whole({.depth = depth, .last_stride = 1, .width_multiplier = 0.125}, {});
    Resnet half({.depth = depth, .last_stride = 2, .width_multiplier = 0.125}, {});
    const std::int64_t channels = depth == 18 ? 64 : 256;
    CHECK(map_of(whole, 128, 64).sizes().vec() == std::vector<std::int64_t>{1, channels, 8, 4});
    CHECK(map_of(half, 128, 64).sizes().vec() == std::vector<std::int64_t>{1, channels, 4, 2});
  }
}

TEST_CASE("width multiplies the channels of every stage, rounded to a multiple of 8") {
  Resnet net({.depth = 18, .width_multiplier = 0.3}, {});
  const auto parameters = net.trunk("layer4.1")->named_parameters();
  CHECK(parameters["conv1.weight"].size(0) == 16);            // 19.2
  CHECK(parameters["layer2.0.conv1.weight"].size(0) == 40);   // 38.4
  CHECK(parameters["layer3.0.conv1.weight"].size(0) == 80);   // 76.8
  CHECK(parameters["layer4.1.conv2.weight"].size(0) == 152);  // 153.6
  CHECK(net.channels() == 152);
}

TEST_CASE("convolutions start as Kaiming's normal distribution over the fan-out") {
  torch::manual_seed(7);
  Resnet net({.depth = 50}, {});
  const auto trunk = net.trunk("layer4.2");
  const auto parameters = trunk->named_parameters();
  const auto weight = parameters["layer4.1.conv2.weight"];
  const double expected = std::sqrt(2.0 / (512 * 9));
  CHECK(weight.std().item<double>() == doctest::Approx(expected).epsilon(0.01));
  CHECK(std::abs(weight.mean().item<double>()) < expected / 100);
  CHECK(parameters["bn1.weight"].eq(1).all().item<bool>());
  CHECK(parameters["bn1.bias"].eq(0).all().item<bool>());
}

TEST_CASE("a depth that does not exist is refused with those that do") {
  kindred::Table table;
  table.set("depth", kindred::Value(std::int64_t{42}));
  kindred::Diagnostics diagnostics;
  (void)Resnet::schema().parse(kindred::Value(table), "backbone 'resnet'", diagnostics);
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].message ==
        "backbone 'resnet': depth = 42 is not one of 18, 34, 50, 101 and 152");
}

TEST_CASE("the stem pools and clips as the parameters say") {
  const auto images = torch::randn({1, 3, 20, 20});
  for (const bool relu : {true, false}) {
    for (const auto pooling : {kindred::StemPooling::padded, kindred::StemPooling::rounded_up}) {
      const torch::NoGradGuard no_grad;
      Resnet net({.depth = 18, .width_multiplier = 0.125, .stem_pooling = pooling, .stem_relu = relu}, {});
      const auto stem = net.trunk("stem");
      stem->eval();
      const auto weight = stem->named_parameters()["conv1.weight"];
      auto expected = torch::conv2d(images, weight, {}, 2, 3) / std::sqrt(1 + 1e-5);
      if (relu) expected = expected.relu();
      const bool padded = pooling == kindred::StemPooling::padded;
      expected = torch::max_pool2d(expected, 3, 2, padded ? 1 : 0, 1, !padded);
      CHECK(torch::allclose(stem->propagate(images).values, expected, 1e-4, 1e-5));
    }
  }
}

TEST_CASE("groups and width make ResNeXt and the wide network, of bottlenecks alone") {
  Resnet resnext({.groups = 32, .width_per_group = 4}, {});
  CHECK(parameter_count(resnext) == 25028904 - 2049000);
  const auto error_of = [](const std::string& key, std::int64_t depth) {
    kindred::Diagnostics diagnostics;
    kindred::Table table;
    table.set("depth", kindred::Value(depth));
    table.set(key, key == "groups" ? kindred::Value(std::int64_t{32}) : kindred::Value(true));
    static_cast<void>(Resnet::schema().parse(kindred::Value(table), "backbone 'resnet'", diagnostics));
    return diagnostics.empty() ? std::string() : diagnostics.all().front().message;
  };
  CHECK(error_of("groups", 34).find("need depth = 50 or more") != std::string::npos);
  CHECK(error_of("groups", 50).empty());
  CHECK(error_of("non_local", 152).find("non_local needs depth = 50 or 101") != std::string::npos);
  CHECK(error_of("non_local", 101).empty());
}
