// ConvNeXt: the values of timm, Facebook's program and torchvision, and what Kindred makes of it beside them.
#include "convnext.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bnneck.h"
#include "foreign_weights.h"
#include "golden/formula_values.h"
#include "golden/golden_model.h"
#include "kindred/core/error.h"
#include "mgn.h"
#include "weights/layouts.h"
#include "weights/matching.h"

using namespace kindred;
using namespace kindred::test;
using convnext::Convnext;

namespace {

const nlohmann::json& golden() {
  static const auto read = golden_json("weights/convnext_expected.json");
  return read;
}

const Catalog& convnext_catalog() {
  static const auto made = tiny_catalog_with([](Catalog& scratch) { scratch.add<Convnext>("convnext"); });
  return made;
}

std::shared_ptr<NetworkPart> whole(Convnext& net) {
  auto part = net.trunk(net.blocks().back());
  part->eval();
  return part;
}

torch::Tensor map_of(NetworkPart& part, const torch::Tensor& input) {
  const torch::NoGradGuard no_grad;
  return part.propagate(input).values;
}

weights::MatchReport fill(NetworkPart& part, const weights::WeightsFile& file) {
  const auto weights =
      weights::translate_for(file, weights::known_layouts(convnext_catalog()), part, "backbone.");
  auto report = weights::match_weights(weights, part, "backbone.", {});
  weights::copy_weights(weights, part, "backbone.");
  return report;
}

weights::WeightsFile file_of(const std::string& program) {
  return formula_file(golden()["programs"][program]["tensors"]);
}

std::unique_ptr<Convnext> seeded(const Convnext::Params& params) {
  torch::manual_seed(7);
  Convnext::Context context;
  context.random = std::make_shared<RandomStream>(3);
  return std::make_unique<Convnext>(params, context);
}

// Initially the blocks' branches count a millionth.
void make_branches_count(NetworkPart& part) {
  const torch::NoGradGuard no_grad;
  for (const auto& item : part.named_parameters()) {
    if (item.key().ends_with("gamma")) item.value().fill_(1);
  }
}

torch::Tensor random_images(std::int64_t height, std::int64_t width, std::int64_t count = 2) {
  torch::manual_seed(5);
  return torch::randn({count, 3, height, width});
}

}  // namespace

TEST_CASE("ConvNeXt of every size has the tensors of timm's, by name and shape") {
  const std::vector<std::pair<std::string, Convnext::Size>> sizes = {
      {"tiny", Convnext::Size::tiny}, {"small", Convnext::Size::small}, {"base", Convnext::Size::base}};
  for (const auto& entry : sizes) {
    const auto& name = entry.first;
    const auto size = entry.second;
    CAPTURE(name);
    Convnext net({.size = size, .final_norm = false}, {});
    CHECK(tensor_checksum(*whole(net)) == golden()["checksums"][name].get<std::uint32_t>());
    CHECK(net.channels() == (size == Convnext::Size::base ? 1024 : 768));
  }
}

TEST_CASE("ConvNeXt filled from another program's file gives its map") {
  for (const std::string program : {"timm", "ConvNeXt (Facebook)", "torchvision"}) {
    CAPTURE(program);
    const auto& expected = golden()["programs"][program];
    Convnext net({}, {});
    const auto part = whole(net);
    const auto report = fill(*part, file_of(program));
    CAPTURE(weights::trouble_text(report));
    CHECK(report.layout == program);
    CHECK(report.complete());
    CHECK(report.count(weights::TensorState::unused) == 0);
    const auto before_norm = net.trunk("stages.3.blocks.2");
    before_norm->eval();
    const auto map = map_of(*before_norm, images_of(expected));
    CHECK(difference_from(expected, map) < 2e-5);
    CHECK((map[0] - map[1]).abs().max().item<double>() > 0.1);  // it tells images apart
    const auto images = images_of(expected).contiguous(torch::MemoryFormat::ChannelsLast);
    CHECK(torch::allclose(map_of(*before_norm, images), map, 1e-4, 1e-5));
  }
}

TEST_CASE("the final norm of ConvNeXt is timm's, over the channels of each pixel") {
  const auto& expected = golden()["timm"]["normalized"];
  Convnext net({}, {});
  CHECK(net.blocks().back() == "norm");
  const auto part = whole(net);
  fill(*part, file_of("timm"));
  CHECK(difference_from(expected, map_of(*part, images_of(expected))) < 2e-5);
}

TEST_CASE("without the final norm the file's has no place in ConvNeXt") {
  Convnext net({.final_norm = false}, {});
  CHECK(net.blocks().back() == "stages.3.blocks.2");
  const auto report = fill(*whole(net), file_of("timm"));
  CHECK(report.count(weights::TensorState::unused) == 2);
  CHECK(report.count(weights::TensorState::missing) == 0);
}

TEST_CASE("a last stride of 1 moves ConvNeXt's last downsampling by one pixel, in a head's copy too") {
  const auto& expected = golden()["timm"]["last stride 1"];
  const auto images = images_of(expected);
  Convnext dense({.last_stride = 1, .final_norm = false}, {});
  const auto part = whole(dense);
  fill(*part, file_of("timm"));
  CHECK(difference_from(expected, map_of(*part, images)) < 2e-5);

  Convnext net({.last_stride = 2, .final_norm = false}, {});
  fill(*whole(net), file_of("timm"));
  const std::string cut = "stages.2.blocks.8";
  const auto rest = net.copy_rest(cut, 1);
  rest->eval();
  CHECK(difference_from(expected, map_of(*rest, map_of(*net.trunk(cut), images))) < 2e-5);
}

TEST_CASE("a map stays in channels-last memory from block to block of ConvNeXt") {
  Convnext net({}, {});
  const auto images = random_images(64, 36).contiguous(torch::MemoryFormat::ChannelsLast);
  torch::Tensor map;
  for (const auto& name : net.blocks()) {
    CAPTURE(name);
    map = map_of(*net.trunk(name), images);
    CHECK(map.is_contiguous(torch::MemoryFormat::ChannelsLast));
  }
  CHECK(map.sizes().vec() == Shape{2, 768, 2, 1});
}

TEST_CASE("paths of ConvNeXt are dropped in training alone, by the component's stream") {
  const auto images = random_images(32, 32, 4);
  const auto map = [&](double rate, bool training) {
    const auto net = seeded({.drop_path = rate});
    const auto part = whole(*net);
    make_branches_count(*part);
    part->train(training);
    return map_of(*part, images);
  };
  CHECK(torch::equal(map(0, true), map(0.9, false)));
  CHECK_FALSE(torch::allclose(map(0.9, true), map(0.9, false), 1e-3, 1e-3));
  CHECK(torch::equal(map(0.9, true), map(0.9, true)));
}

TEST_CASE("recomputing the blocks of ConvNeXt changes neither the map nor a gradient") {
  const auto images = random_images(64, 32);
  const auto run = [&](bool recompute) {
    const auto net = seeded({.drop_path = 0.5, .recompute = recompute});
    const auto part = net->trunk("stages.1.blocks.2");
    make_branches_count(*part);
    part->train();
    const auto map = part->propagate(images).values;
    (map * map).sum().backward();
    std::vector<torch::Tensor> results = {map.detach()};
    for (const auto& item : part->named_parameters()) results.push_back(item.value().grad());
    return results;
  };
  const auto plain = run(false);
  const auto recomputed = run(true);
  REQUIRE(plain.size() == recomputed.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CAPTURE(i);
    REQUIRE(recomputed[i].defined());
    CHECK(torch::equal(plain[i], recomputed[i]));
  }
}

TEST_CASE("frozen blocks of ConvNeXt are not recomputed, and give a map without a gradient") {
  const auto net = seeded({.recompute = true});
  const auto part = net->trunk("stages.1.blocks.2");
  part->train();
  const auto images = random_images(64, 32);
  CHECK(part->propagate(images).values.requires_grad());
  for (auto& parameter : part->parameters()) parameter.set_requires_grad(false);
  CHECK_FALSE(part->propagate(images).values.requires_grad());
}

TEST_CASE("ConvNeXt starts as published: deviations of 0.02, no offsets, branches that count a millionth") {
  torch::manual_seed(7);
  Convnext net({}, {});
  for (const auto& item : whole(net)->named_parameters()) {
    CAPTURE(item.key());
    const auto& value = item.value();
    if (item.key().ends_with("gamma")) {
      CHECK(torch::allclose(value, torch::full_like(value, 1e-6)));
    } else if (value.dim() == 1) {
      CHECK(value.eq(item.key().ends_with("bias") ? 0 : 1).all().item<bool>());
    } else {
      CHECK(value.std().item<double>() == doctest::Approx(0.02).epsilon(0.05));
      CHECK(std::abs(value.mean().item<double>()) < 0.002);
    }
  }
}

TEST_CASE("images too small for ConvNeXt are refused with the least size") {
  Convnext net({}, {});
  const auto part = whole(net);
  CHECK(map_of(*part, random_images(32, 32)).sizes().vec() == Shape{2, 768, 1, 1});
  for (const auto& [height, width] : std::vector<std::pair<std::int64_t, std::int64_t>>{{32, 28}, {3, 64}}) {
    CHECK_THROWS_WITH_AS(static_cast<void>(map_of(*part, random_images(height, width))),
                         doctest::Contains("at least 32 x 32"), ComponentError);
  }
}

TEST_CASE("bnneck and mgn take ConvNeXt's map") {
  Convnext net({}, {});
  const auto images = random_images(96, 32);
  const torch::NoGradGuard no_grad;
  bnneck::Bnneck bnneck({}, {net, 5});
  bnneck.eval();
  CHECK(bnneck.forward(bnneck.trunk()->propagate(images)).back().sizes().vec() == Shape{2, 768});
  mgn::Mgn mgn({.cut = "stages.2.blocks.8"}, {net, 5});
  mgn.eval();
  CHECK(mgn.forward(mgn.trunk()->propagate(images)).back().sizes().vec() == Shape{2, 8 * 256});
}

TEST_CASE("every rule of ConvNeXt's layouts can be reached") {
  check_rules(Convnext::weights_layouts());
}
