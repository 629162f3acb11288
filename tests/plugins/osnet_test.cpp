#include "osnet.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "mgn.h"
#include "osnet_ain.h"

using kindred::osnet::Osnet;
using kindred::osnet::OsnetAin;
using kindred::osnet::OsnetIbn;
using Shape = std::vector<std::int64_t>;

namespace {

std::int64_t parameter_count(Osnet& net) {
  std::int64_t count = 0;
  for (const auto& parameter : net.trunk("conv5")->parameters()) count += parameter.numel();
  return count;
}

// The network of the paper's table 1 and figure 4 in evaluation, written down with the tensors by their
// names.
class PlainOsnet {
 public:
  explicit PlainOsnet(const torch::nn::Module& trunk) {
    for (const auto& item : trunk.named_parameters()) tensors_[item.key()] = item.value();
    for (const auto& item : trunk.named_buffers()) tensors_[item.key()] = item.value();
  }

  torch::Tensor map(const torch::Tensor& images, std::int64_t last_stride) const {
    auto x = torch::conv2d(images, tensor("conv1.conv.weight"), {}, 2, 3);
    x = torch::max_pool2d(norm(x, "conv1.bn").relu(), 3, 2, 1);
    x = block(block(x, "conv2.0"), "conv2.1");
    x = torch::avg_pool2d(pointwise(x, "conv2.2.0").relu(), 2);
    x = block(block(x, "conv3.0"), "conv3.1");
    x = pointwise(x, "conv3.2.0").relu();
    if (last_stride == 2) x = torch::avg_pool2d(x, 2);
    x = block(block(x, "conv4.0"), "conv4.1");
    return pointwise(x, "conv5").relu();
  }

 private:
  const torch::Tensor& tensor(const std::string& name) const {
    REQUIRE(tensors_.count(name) == 1);
    return tensors_.at(name);
  }
  torch::Tensor norm(const torch::Tensor& x, const std::string& name) const {
    const auto column = [&](const char* part) { return tensor(name + part).view({1, -1, 1, 1}); };
    return (x - column(".running_mean")) / (column(".running_var") + 1e-5).sqrt() * column(".weight") +
           column(".bias");
  }
  torch::Tensor pointwise(const torch::Tensor& x, const std::string& name) const {
    return norm(torch::conv2d(x, tensor(name + ".conv.weight")), name + ".bn");
  }
  torch::Tensor light(const torch::Tensor& x, const std::string& name) const {
    const auto mixed = torch::conv2d(x, tensor(name + ".conv1.weight"));
    const auto weight = tensor(name + ".conv2.weight");
    return norm(torch::conv2d(mixed, weight, {}, 1, 1, 1, weight.size(0)), name + ".bn").relu();
  }
  torch::Tensor gated(const torch::Tensor& x, const std::string& name) const {
    const auto mean = x.mean({2, 3}, true);
    const auto inner = torch::conv2d(mean, tensor(name + ".fc1.weight"), tensor(name + ".fc1.bias")).relu();
    return x * torch::conv2d(inner, tensor(name + ".fc2.weight"), tensor(name + ".fc2.bias")).sigmoid();
  }
  torch::Tensor block(const torch::Tensor& x, const std::string& name) const {
    const auto reduced = pointwise(x, name + ".conv1").relu();
    auto sum = gated(light(reduced, name + ".conv2a"), name + ".gate");
    for (const auto& [stream, length] : {std::pair{".conv2b.", 2}, {".conv2c.", 3}, {".conv2d.", 4}}) {
      auto y = reduced;
      for (int i = 0; i < length; ++i) y = light(y, name + stream + std::to_string(i));
      sum = sum + gated(y, name + ".gate");
    }
    const bool same = tensors_.count(name + ".downsample.conv.weight") == 0;
    return (pointwise(sum, name + ".conv3") + (same ? x : pointwise(x, name + ".downsample"))).relu();
  }

  std::map<std::string, torch::Tensor> tensors_;
};

void randomize_statistics(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (auto& item : module.named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().normal_(0, 0.1);
    if (item.key().ends_with("running_var")) item.value().uniform_(0.5, 2);
  }
  for (auto& item : module.named_parameters()) {
    if (item.value().dim() == 1) item.value().add_(torch::randn_like(item.value()) * 0.1);
  }
}

}  // namespace

TEST_CASE("every published width has its number of parameters") {
  // Published by torchreid with "fc" (a linear layer to 512 and a batch norm); its counter counts a gate once
  // for each of the four streams that share it. Gates have m -> m / 16 -> m channels with biases.
  struct Published {
    double width_multiplier;
    std::int64_t count;
    std::int64_t channels;
    std::vector<std::int64_t> inner;  // of the blocks of conv2, conv3 and conv4
  };
  for (const auto& published :
       {Published{1.0, 2193616, 512, {64, 96, 128}}, Published{0.25, 203568, 128, {16, 24, 32}}}) {
    CAPTURE(published.width_multiplier);
    std::int64_t expected = published.count - (published.channels * 512 + 512 + 2 * 512);
    for (const auto m : published.inner) {
      const auto squeezed = m / 16;
      expected -= 2 * 3 * (m * squeezed + squeezed + squeezed * m + m);
    }
    Osnet net({.width_multiplier = published.width_multiplier}, {});
    CHECK(parameter_count(net) == expected);
    CHECK(net.channels() == published.channels);
  }
  Osnet whole({}, {});
  CHECK(parameter_count(whole) == 1905828);
  // The paper's table 4 rounds them, "fc" counted, to 1.3 and 0.6 million.
  Osnet three_quarters({.width_multiplier = 0.75}, {});
  CHECK(three_quarters.channels() == 384);
  CHECK(parameter_count(three_quarters) == 1087610);
  Osnet half({.width_multiplier = 0.5}, {});
  CHECK(half.channels() == 256);
  CHECK(parameter_count(half) == 497426);
}

TEST_CASE("tensors have torchreid's names and shapes") {
  Osnet net({}, {});
  const auto trunk = net.trunk("conv5");
  const auto parameters = trunk->named_parameters();
  const std::map<std::string, Shape> expected = {{"conv1.conv.weight", {64, 3, 7, 7}},
                                                 {"conv1.bn.bias", {64}},
                                                 {"conv2.0.conv1.conv.weight", {64, 64, 1, 1}},
                                                 {"conv2.0.conv2a.conv1.weight", {64, 64, 1, 1}},
                                                 {"conv2.0.conv2a.conv2.weight", {64, 1, 3, 3}},
                                                 {"conv2.0.conv2a.bn.weight", {64}},
                                                 {"conv2.1.conv2b.1.conv2.weight", {64, 1, 3, 3}},
                                                 {"conv3.0.conv2c.2.bn.bias", {96}},
                                                 {"conv4.1.conv2d.3.conv1.weight", {128, 128, 1, 1}},
                                                 {"conv2.0.gate.fc1.weight", {4, 64, 1, 1}},
                                                 {"conv2.0.gate.fc1.bias", {4}},
                                                 {"conv4.0.gate.fc2.weight", {128, 8, 1, 1}},
                                                 {"conv2.0.conv3.conv.weight", {256, 64, 1, 1}},
                                                 {"conv2.0.conv3.bn.weight", {256}},
                                                 {"conv3.0.downsample.conv.weight", {384, 256, 1, 1}},
                                                 {"conv3.0.downsample.bn.weight", {384}},
                                                 {"conv2.2.0.conv.weight", {256, 256, 1, 1}},
                                                 {"conv3.2.0.bn.bias", {384}},
                                                 {"conv5.conv.weight", {512, 512, 1, 1}},
                                                 {"conv5.bn.weight", {512}}};
  for (const auto& entry : expected) {
    const auto& name = entry.first;
    CAPTURE(name);
    REQUIRE(parameters.contains(name));
    CHECK(parameters[name].sizes().vec() == entry.second);
  }
  CHECK_FALSE(parameters.contains("conv2.1.downsample.conv.weight"));
  // A block has 2 + 10 norms with the convolutions of 10 light ones doubled, and a gate of 4 tensors; three
  // have a shortcut; stem, two transitions and conv5 are a convolution and a norm each.
  CHECK(parameters.size() == 6 * (2 * 3 + 10 * 4 + 4) + 3 * 3 + 4 * 3);
  CHECK(trunk->named_buffers().size() == 3 * (6 * 12 + 3 + 4));
  CHECK(trunk->named_buffers().contains("conv2.1.conv2b.1.bn.running_mean"));
}

TEST_CASE("the map is that of the definition written down plainly") {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(5);
  for (const std::int64_t last_stride : {1, 2}) {
    CAPTURE(last_stride);
    Osnet net({.width_multiplier = 0.25, .last_stride = last_stride}, {});
    const auto trunk = net.trunk("conv5");
    randomize_statistics(*trunk);
    trunk->eval();
    const auto images = torch::randn({2, 3, 64, 48});
    const auto expected = PlainOsnet(*trunk).map(images, last_stride);
    CHECK(expected.abs().max().item<double>() > 0.1);
    CHECK(torch::allclose(trunk->propagate(images).values, expected, 1e-3, 1e-4));
    const auto channels_last = trunk->propagate(images.contiguous(torch::MemoryFormat::ChannelsLast)).values;
    CHECK(torch::allclose(channels_last, expected, 1e-3, 1e-4));
  }
}

TEST_CASE("blocks can be named for cutting, from the stem to conv5") {
  const Osnet net({.width_multiplier = 0.25}, {});
  CHECK(net.blocks() == std::vector<std::string>{"conv1", "conv2.0", "conv2.1", "conv2.2", "conv3.0",
                                                 "conv3.1", "conv3.2", "conv4.0", "conv4.1", "conv5"});
}

TEST_CASE("a last stride of 1 keeps the map twice as high and wide") {
  const torch::NoGradGuard no_grad;
  Osnet fine({.width_multiplier = 0.25, .last_stride = 1}, {});
  Osnet coarse({.width_multiplier = 0.25}, {});
  const auto images = torch::rand({2, 3, 128, 64});
  CHECK(fine.trunk("conv5")->propagate(images).values.sizes().vec() == Shape{2, 128, 16, 8});
  CHECK(coarse.trunk("conv5")->propagate(images).values.sizes().vec() == Shape{2, 128, 8, 4});
}

TEST_CASE("width multiplies all channels, rounded to a multiple of 8") {
  Osnet net({.width_multiplier = 0.3}, {});
  const auto parameters = net.trunk("conv5")->named_parameters();
  CHECK(parameters["conv1.conv.weight"].size(0) == 16);            // 19.2
  CHECK(parameters["conv2.0.conv3.conv.weight"].size(0) == 80);    // 76.8
  CHECK(parameters["conv2.0.conv2a.conv1.weight"].size(0) == 20);  // a fourth of it
  CHECK(net.channels() == 152);                                    // 153.6
  Osnet smallest({.width_multiplier = 0.125}, {});
  CHECK(smallest.trunk("conv5")->named_parameters()["conv2.0.gate.fc1.weight"].size(0) == 1);
}

TEST_CASE("convolutions start as Kaiming's normal distribution over the fan-out, biases at 0") {
  torch::manual_seed(7);
  Osnet net({}, {});
  const auto parameters = net.trunk("conv5")->named_parameters();
  CHECK(parameters["conv5.conv.weight"].std().item<double>() ==
        doctest::Approx(std::sqrt(2.0 / 512)).epsilon(0.01));
  CHECK(parameters["conv4.1.gate.fc2.bias"].eq(0).all().item<bool>());
  CHECK(parameters["conv4.1.conv3.bn.weight"].eq(1).all().item<bool>());
}

TEST_CASE("MGN's branches part behind the cut and differ in the last stride") {
  const torch::NoGradGuard no_grad;
  Osnet net({.width_multiplier = 0.25}, {});
  kindred::mgn::Mgn head({.cut = "conv3.1", .reduced_dim = 16}, {net, 5});
  const auto parameters = head.named_parameters();
  const auto original = net.trunk("conv5")->named_parameters();
  for (const std::string name : {"conv3.2.0.conv.weight", "conv4.1.conv2d.3.bn.bias", "conv5.conv.weight"}) {
    CAPTURE(name);
    REQUIRE(parameters.contains("branch2." + name));
    CHECK(torch::equal(parameters["branch2." + name], original[name]));
    CHECK(parameters["branch2." + name].data_ptr() != original[name].data_ptr());
  }
  CHECK_FALSE(parameters.contains("branch1.conv3.1.conv1.conv.weight"));
  const auto map = head.trunk()->propagate(torch::rand({2, 3, 128, 64})).values;
  CHECK(map.sizes().vec() == Shape{2, 96, 16, 8});
  CHECK(head.forward(map).back().sizes().vec() == Shape{2, 8 * 16});
  CHECK(net.copy_rest("conv3.1", 1)->propagate(map).values.sizes().vec() == Shape{2, 128, 16, 8});
  CHECK(net.copy_rest("conv3.1", 2)->propagate(map).values.sizes().vec() == Shape{2, 128, 8, 4});
}

TEST_CASE_TEMPLATE("gradients reach every parameter", Network, Osnet, OsnetIbn, OsnetAin) {
  torch::manual_seed(1);
  Network net({.width_multiplier = 0.25}, {});
  const auto trunk = net.trunk("conv5");
  const auto map = trunk->propagate(torch::rand({2, 3, 64, 32})).values;
  (map * torch::rand_like(map)).sum().backward();
  for (const auto& item : trunk->named_parameters()) {
    // A gate whose few inner channels are all below 0 passes nothing to fc1.
    if (item.key().find("gate.fc") != std::string::npos) continue;
    CAPTURE(item.key());
    const torch::Tensor gradient = item.value().grad();
    REQUIRE(gradient.defined());
    CHECK(gradient.abs().sum().item<double>() > 0);
  }
}

TEST_CASE("a width that leaves no network is refused") {
  kindred::Table table;
  table.set("width_multiplier", kindred::Value(0.05));
  kindred::Diagnostics diagnostics;
  (void)Osnet::schema().parse(kindred::Value(table), "backbone 'osnet'", diagnostics);
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].message == "backbone 'osnet': width_multiplier = 0.05 is outside [0.125, 8]");
}

TEST_CASE("the variants have blocks to cut at, and the published number of channels") {
  const OsnetAin ain({.width_multiplier = 0.75}, {});
  CHECK(ain.blocks() == std::vector<std::string>{"conv1", "conv2.0", "conv2.1", "pool2", "conv3.0", "conv3.1",
                                                 "pool3", "conv4.0", "conv4.1", "conv5"});
  CHECK(ain.channels() == 384);
  CHECK(OsnetIbn({}, {}).channels() == 512);
}

TEST_CASE("a last stride of 1 keeps the map of a variant twice as high and wide") {
  const torch::NoGradGuard no_grad;
  const auto images = torch::rand({2, 3, 128, 64});
  OsnetAin fine({.width_multiplier = 0.25, .last_stride = 1}, {});
  CHECK(fine.trunk("conv5")->propagate(images).values.sizes().vec() == Shape{2, 128, 16, 8});
  OsnetAin coarse({.width_multiplier = 0.25}, {});
  CHECK(coarse.trunk("conv5")->propagate(images).values.sizes().vec() == Shape{2, 128, 8, 4});
}

TEST_CASE("images that shrink to one pixel where instances are normalized are refused") {
  OsnetAin net({.width_multiplier = 0.25}, {});
  CHECK_THROWS_WITH_AS(static_cast<void>(net.trunk("conv5")->propagate(torch::rand({2, 3, 16, 16})).values),
                       doctest::Contains("use larger images"), kindred::ComponentError);
}
