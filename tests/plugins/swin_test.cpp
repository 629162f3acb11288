// Swin Transformer: the values of timm, Microsoft's program, torchvision and SOLIDER, and what Kindred makes
// of it beside them.
#include "swin.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
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
#include "kindred/nn/adapts_weights.h"
#include "mgn.h"
#include "weights/layouts.h"
#include "weights/matching.h"

using namespace kindred;
using namespace kindred::test;
using swin::Swin;

namespace {

const nlohmann::json& golden() {
  static const auto read = golden_json("weights/swin_expected.json");
  return read;
}

const Catalog& swin_catalog() {
  static const auto made = tiny_catalog_with([](Catalog& scratch) { scratch.add<Swin>("swin"); });
  return made;
}

std::shared_ptr<NetworkPart> whole(Swin& net) {
  auto part = net.trunk(net.blocks().back());
  part->eval();
  return part;
}

torch::Tensor map_of(NetworkPart& part, const torch::Tensor& input) {
  const torch::NoGradGuard no_grad;
  return part.propagate(input).values;
}

// Fills a network with a file; each of its tensors is found.
void fill(NetworkPart& part, const weights::WeightsFile& file, const std::string& layout) {
  const auto weights =
      weights::translate_for(file, weights::known_layouts(swin_catalog()), part, "backbone.");
  const auto report = weights::match_weights(weights, part, "backbone.", {});
  CAPTURE(weights::trouble_text(report));
  CHECK(report.layout == layout);
  CHECK(report.complete());
  CHECK(report.count(weights::TensorState::unused) == 0);
  weights::copy_weights(weights, part, "backbone.");
}

// Without its semantic embeddings.
weights::WeightsFile plain_solider_file() {
  auto file = formula_file(golden()["programs"]["SOLIDER"]["tensors"]);
  auto& tensors = file.content.tensors;
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(),
                               [](const auto& entry) { return entry.first.starts_with("semantic"); }),
                tensors.end());
  return file;
}

const nlohmann::json& plain_solider(const std::string& name) {
  return golden()["SOLIDER without semantic weight"][name];
}

torch::Tensor random_images(std::int64_t height, std::int64_t width, std::int64_t count = 2) {
  torch::manual_seed(5);
  return torch::randn({count, 3, height, width});
}

// Two networks of the same seed, so of the same initial weights, with the same stream in training.
std::unique_ptr<Swin> seeded(const Swin::Params& params) {
  torch::manual_seed(7);
  Swin::Context context;
  context.random = std::make_shared<RandomStream>(3);
  return std::make_unique<Swin>(params, context);
}

}  // namespace

TEST_CASE("Swin of every size has the tensors of timm's, by name and shape") {
  const std::vector<std::pair<std::string, Swin::Size>> sizes = {
      {"tiny", Swin::Size::tiny}, {"small", Swin::Size::small}, {"base", Swin::Size::base}};
  for (const auto& entry : sizes) {
    const auto& name = entry.first;
    const auto size = entry.second;
    CAPTURE(name);
    Swin net({.size = size}, {});
    CHECK(tensor_checksum(*whole(net)) == golden()["checksums"][name].get<std::uint32_t>());
    CHECK(net.channels() == (size == Swin::Size::base ? 1024 : 768));
  }
}

TEST_CASE("Swin filled from another program's file gives its map, also of images without whole windows") {
  struct Program {
    std::string layout;
    Swin::Params params;
  };
  const std::vector<Program> programs = {{"timm", {.window = 3}},
                                         {"Swin Transformer (Microsoft)", {.window = 3}},
                                         {"torchvision", {}},
                                         {"SOLIDER", {.semantic_weight = 0.2, .shift_single_window = true}}};
  for (const auto& program : programs) {
    CAPTURE(program.layout);
    const auto& expected = golden()["programs"][program.layout];
    Swin net(program.params, {});
    const auto part = whole(net);
    fill(*part, formula_file(expected["tensors"]), program.layout);
    const auto map = map_of(*part, images_of(expected));
    CHECK(difference_from(expected, map) < 2e-5);
    CHECK((map[0] - map[1]).abs().max().item<double>() > 0.1);  // it tells images apart
    const auto images = images_of(expected).contiguous(torch::MemoryFormat::ChannelsLast);
    CHECK(torch::allclose(map_of(*part, images), map, 1e-4, 1e-5));
  }
}

TEST_CASE("without a semantic weight SOLIDER's Swin is a plain one; images are padded to whole patches") {
  const auto& expected = plain_solider("plain");
  REQUIRE(expected["height"].get<int>() % 4 != 0);
  Swin net({.shift_single_window = true}, {});
  const auto part = whole(net);
  fill(*part, plain_solider_file(), "SOLIDER");
  CHECK(difference_from(expected, map_of(*part, images_of(expected))) < 2e-5);
}

TEST_CASE("a last stride of 1 moves the last merging by one pixel, in a whole network and in a head's copy") {
  const auto& expected = plain_solider("last stride 1");
  const auto images = images_of(expected);
  Swin dense({.last_stride = 1, .shift_single_window = true}, {});
  const auto part = whole(dense);
  fill(*part, plain_solider_file(), "SOLIDER");
  CHECK(difference_from(expected, map_of(*part, images)) < 2e-5);

  Swin net({.last_stride = 2, .shift_single_window = true}, {});
  fill(*whole(net), plain_solider_file(), "SOLIDER");
  const std::string cut = "layers.2.blocks.5";
  const auto rest = net.copy_rest(cut, 1);
  rest->eval();
  CHECK(difference_from(expected, map_of(*rest, map_of(*net.trunk(cut), images))) < 2e-5);
}

TEST_CASE("blocks can be named for cutting, after every block of Swin") {
  const Swin net({.semantic_weight = 0.2}, {});
  CHECK(net.blocks() ==
        std::vector<std::string>{
            "patch_embed",       "layers.0.blocks.0", "layers.0.blocks.1", "layers.1.downsample",
            "layers.1.semantic", "layers.1.blocks.0", "layers.1.blocks.1", "layers.2.downsample",
            "layers.2.semantic", "layers.2.blocks.0", "layers.2.blocks.1", "layers.2.blocks.2",
            "layers.2.blocks.3", "layers.2.blocks.4", "layers.2.blocks.5", "layers.3.downsample",
            "layers.3.semantic", "layers.3.blocks.0", "layers.3.blocks.1", "norm"});
}

TEST_CASE("a map stays in channels-last memory from block to block of Swin") {
  Swin net({.semantic_weight = 0.5}, {});
  torch::Tensor map = random_images(60, 44);
  for (const auto& name : net.blocks()) {
    CAPTURE(name);
    map = map_of(*net.trunk(name), random_images(60, 44));
    CHECK(map.is_contiguous(torch::MemoryFormat::ChannelsLast));
  }
  CHECK(map.sizes().vec() == Shape{2, 768, 2, 2});
}

TEST_CASE("a table of another window becomes that of SOLIDER-REID, and one that fits no window is refused") {
  const auto& expected = golden()["table"];
  const auto side = 2 * expected["window"].get<std::int64_t>() - 1;
  const auto heads = expected["heads"].get<std::int64_t>();
  Swin net({.window = expected["wanted"]}, {});
  const auto part = whole(net);
  const auto modules = part->named_modules();
  const auto* owner = dynamic_cast<const AdaptsWeights*>(modules["layers.0.blocks.0.attn"].get());
  REQUIRE(owner != nullptr);
  const std::string name = "relative_position_bias_table";
  const auto table = formula_values("table", {side * side, heads});
  const auto adapted = owner->adapted(name, table);
  REQUIRE(adapted.defined());
  CHECK(adapted.sizes() == part->named_parameters()["layers.0.blocks.0.attn." + name].sizes());
  CHECK(relative_difference(adapted, expected["values"].get<std::vector<double>>()) < 1e-6);
  CHECK((owner->adapted(name, table.to(torch::kFloat16)).scalar_type() == torch::kFloat32));

  CHECK_FALSE(owner->adapted(name, table.narrow(0, 0, 13 * 7)).defined());  // timm's of 7 x 4
  CHECK_FALSE(owner->adapted(name, table.narrow(1, 0, heads - 1)).defined());
  CHECK_FALSE(owner->adapted(name, table.narrow(0, 0, 0)).defined());
  CHECK_FALSE(owner->adapted(name, table.to(torch::kInt64)).defined());
  CHECK_FALSE(owner->adapted("qkv.weight", table).defined());
}

TEST_CASE("a file of another window fills Swin with its tables interpolated") {
  Swin net({.window = 5, .shift_single_window = true}, {});
  const auto part = whole(net);
  const auto file = plain_solider_file();
  const auto weights =
      weights::translate_for(file, weights::known_layouts(swin_catalog()), *part, "backbone.");
  const auto report = weights::match_weights(weights, *part, "backbone.", {});
  CHECK(report.complete());
  CHECK(report.count(weights::TensorState::adapted) == 12);  // one for each block
  weights::copy_weights(weights, *part, "backbone.");
  const std::string table = "attn.relative_position_bias_table";
  const auto modules = part->named_modules();
  const auto* owner = dynamic_cast<const AdaptsWeights*>(modules["layers.3.blocks.1.attn"].get());
  REQUIRE(owner != nullptr);
  const auto source = formula_values("stages.3.blocks.1.attn.w_msa.relative_position_bias_table", {169, 24});
  CHECK(torch::equal(part->named_parameters()["layers.3.blocks.1." + table],
                     owner->adapted("relative_position_bias_table", source)));
}

TEST_CASE("a single window is shifted only on demand, and several windows always") {
  const auto map = [](std::int64_t height, bool demanded) {
    const auto net = seeded({.shift_single_window = demanded});
    const auto part = net->trunk("layers.0.blocks.1");
    part->eval();
    return map_of(*part, random_images(height, 28));
  };
  CHECK_FALSE(torch::allclose(map(28, false), map(28, true), 1e-3, 1e-4));
  CHECK_FALSE(torch::allclose(map(32, false), map(32, true), 1e-3, 1e-4));  // one window wide
  const auto taller = [](bool demanded) {
    const auto net = seeded({.shift_single_window = demanded});
    const auto part = net->trunk("layers.0.blocks.1");
    part->eval();
    return map_of(*part, random_images(32, 32));
  };
  CHECK(torch::equal(taller(false), taller(true)));
}

TEST_CASE("the semantic weight changes the map, and its embeddings are not trained") {
  const auto map = [](double weight) {
    const auto net = seeded({.semantic_weight = weight});
    return map_of(*whole(*net), random_images(32, 32));
  };
  CHECK_FALSE(torch::allclose(map(0.2), map(0.8), 1e-4, 1e-5));
  Swin net({.semantic_weight = 0.2}, {});
  std::int64_t frozen = 0;
  for (const auto& item : whole(net)->named_parameters()) {
    const bool semantic = item.key().find(".semantic.") != std::string::npos;
    CHECK(item.value().requires_grad() != semantic);
    frozen += semantic ? 1 : 0;
  }
  CHECK(frozen == 3 * 4);
  for (const auto& item : net.copy_rest("layers.2.blocks.5", 1)->named_parameters()) {
    CHECK(item.value().requires_grad() == (item.key().find(".semantic.") == std::string::npos));
  }
}

TEST_CASE("paths are dropped in training alone, by the component's stream") {
  const auto images = random_images(32, 32, 4);
  const auto trained = [&](double rate) {
    const auto net = seeded({.drop_path = rate});
    const auto part = whole(*net);
    part->train();
    return map_of(*part, images);
  };
  const auto evaluated = map_of(*whole(*seeded({.drop_path = 0.9})), images);
  CHECK(torch::equal(trained(0), evaluated));
  CHECK_FALSE(torch::allclose(trained(0.9), evaluated, 1e-3, 1e-3));
  CHECK(torch::equal(trained(0.9), trained(0.9)));
}

TEST_CASE("recomputing the blocks of Swin changes neither the map nor a gradient") {
  const auto images = random_images(64, 32);
  const auto run = [&](bool recompute) {
    const auto net = seeded({.drop_path = 0.5, .semantic_weight = 0.2, .recompute = recompute});
    const auto part = net->trunk("layers.2.blocks.1");
    part->train();
    const auto map = part->propagate(images).values;
    (map * map).sum().backward();
    std::vector<torch::Tensor> results = {map.detach()};
    for (const auto& item : part->named_parameters()) {
      if (item.value().requires_grad()) results.push_back(item.value().grad());
    }
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

TEST_CASE("frozen blocks of Swin are not recomputed, and give a map without a gradient") {
  const auto net = seeded({.recompute = true});
  const auto part = net->trunk("layers.2.blocks.1");
  part->train();
  const auto images = random_images(64, 32);
  CHECK(part->propagate(images).values.requires_grad());
  for (auto& parameter : part->parameters()) parameter.set_requires_grad(false);
  CHECK_FALSE(part->propagate(images).values.requires_grad());
}

TEST_CASE("Swin starts as published: normal distributions of deviation 0.02, and no offsets") {
  torch::manual_seed(7);
  Swin net({.semantic_weight = 0.2}, {});
  for (const auto& item : whole(net)->named_parameters()) {
    CAPTURE(item.key());
    const auto& value = item.value();
    const bool drawn = item.key().ends_with("table") || (value.dim() == 2 && item.key().ends_with("weight"));
    if (drawn && value.numel() > 5000) {
      CHECK(value.std().item<double>() == doctest::Approx(0.02).epsilon(0.05));
      CHECK(std::abs(value.mean().item<double>()) < 0.001);
    } else if (value.dim() == 1 && item.key() != "patch_embed.proj.bias") {
      CHECK(value.eq(item.key().ends_with("bias") ? 0 : 1).all().item<bool>());
    }
  }
}

TEST_CASE("bnneck and mgn take Swin's map") {
  Swin net({}, {});
  bnneck::Bnneck bnneck({}, {net, 5});
  bnneck.eval();
  const auto images = random_images(96, 32);
  const torch::NoGradGuard no_grad;
  CHECK(bnneck.forward(bnneck.trunk()->propagate(images)).back().sizes().vec() == Shape{2, 768});
  mgn::Mgn mgn({.cut = "layers.2.blocks.5"}, {net, 5});
  mgn.eval();
  CHECK(mgn.forward(mgn.trunk()->propagate(images)).back().sizes().vec() == Shape{2, 8 * 256});
}

TEST_CASE("SOLIDER-REID's fine-tuned model fills Swin and bnneck, with its classifier") {
  const auto catalog = tiny_catalog_with([](Catalog& scratch) {
    scratch.add<Swin>("swin");
    scratch.add<bnneck::Bnneck>("bnneck");
  });
  const auto rename = [](std::string name) -> std::string {
    if (take_off(name, "head.neck.")) return "bottleneck." + name;
    if (take_off(name, "head.")) return name;
    if (!take_off(name, "backbone.")) return "";
    if (take_off(name, "norm.")) return "base.norm3." + name;
    if (take_off(name, "patch_embed.proj.")) return "base.patch_embed.projection." + name;
    if (take_off(name, "patch_embed.")) return "base.patch_embed." + name;
    REQUIRE(take_off(name, "layers."));
    const auto stage = std::stoi(name.substr(0, 1));
    name.erase(0, 2);
    if (take_off(name, "semantic.")) {
      return "base.semantic_embed_" + name.substr(0, 1) + "." + std::to_string(stage - 1) + name.substr(1);
    }
    if (name.starts_with("downsample.")) return "base.stages." + std::to_string(stage - 1) + "." + name;
    const auto replace = [&](const std::string& from, const std::string& to) {
      if (const auto at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
    };
    replace("attn.", "attn.w_msa.");
    replace("mlp.fc1.", "ffn.layers.0.0.");
    replace("mlp.fc2.", "ffn.layers.1.");
    return "base.stages." + std::to_string(stage) + "." + name;
  };
  const auto filling = filled(catalog, "{type='swin',semantic_weight=0.2}", "{type='bnneck'}", rename,
                              {"base.norm0.weight", "base.semantic_embed_w.3.bias"});
  CHECK(filling.layout == "SOLIDER-REID");
  CHECK(filling.missing.empty());
}

TEST_CASE("every rule of Swin's layouts can be reached") {
  check_rules(Swin::weights_layouts());
}
