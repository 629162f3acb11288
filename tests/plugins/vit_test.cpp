#include "vit.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "golden/formula_values.h"
#include "golden/golden_model.h"
#include "kindred/core/error.h"
#include "kindred/role/backbone.h"

using kindred::Activations;
using kindred::UnknownSide;
using kindred::vit::Vit;
using Shape = std::vector<std::int64_t>;

namespace {

// 64 x 32 pixels, 4 x 2 patches, 2 blocks of 32 channels.
Vit::Params small_params() {
  Vit::Params params;
  params.dim = 32;
  params.depth = 2;
  params.heads = 4;
  params.image_height = 64;
  params.image_width = 32;
  return params;
}

std::shared_ptr<kindred::NetworkPart> whole(Vit& vit) {
  auto trunk = vit.trunk("norm");
  trunk->eval();
  return trunk;
}

std::int64_t parameter_count(const Vit::Params& params) {
  Vit vit(params, {});
  std::int64_t count = 0;
  for (const auto& parameter : vit.trunk("norm")->parameters()) count += parameter.numel();
  return count;
}

std::string schema_error(const char* name, const kindred::Value& value, const char* other = nullptr,
                         const kindred::Value& other_value = kindred::Value(true)) {
  kindred::Table table;
  table.set(name, value);
  if (other != nullptr) table.set(other, other_value);
  kindred::Diagnostics diagnostics;
  (void)Vit::schema().parse(kindred::Value(table), "backbone 'vit'", diagnostics);
  return diagnostics.empty() ? "" : diagnostics.all()[0].message;
}

Activations with_sides(const torch::Tensor& images, const std::vector<std::int64_t>& cameras,
                       const std::vector<std::int64_t>& views) {
  Activations input(images);
  input.cameras = torch::tensor(cameras, torch::kInt64);
  input.views = torch::tensor(views, torch::kInt64);
  return input;
}

// What the same image has more at one camera and view than without any: the embedding, factor included.
torch::Tensor side_of(Vit& vit, std::int64_t camera, std::int64_t view) {
  const torch::NoGradGuard no_grad;
  const auto trunk = vit.trunk("stem");
  const auto images = kindred::test::formula_images(64, 32).narrow(0, 0, 1);
  const auto tokens = trunk->propagate(with_sides(images, {camera}, {view})).values;
  for (auto& parameter : trunk->named_parameters()) {
    if (parameter.key() != "side.embedding") continue;
    const auto kept = parameter.value().clone();
    parameter.value().zero_();
    const auto without = trunk->propagate(with_sides(images, {camera}, {view})).values;
    parameter.value().copy_(kept);
    const auto difference = tokens - without;
    CHECK(torch::allclose(difference, difference.narrow(1, 0, 1).expand_as(difference), 1e-4, 1e-5));
    return difference[0][0];
  }
  return {};
}

}  // namespace

TEST_CASE("a network has as many parameters as the published one of its name") {
  // timm's, less the classifier: tests/golden/weights/vit_expected.json.
  const auto expected = kindred::test::golden_json("weights/vit_expected.json")["parameters"];
  Vit::Params params;
  params.image_height = 224;
  params.image_width = 224;
  const auto count_of = [&](Vit::Size size) {
    auto sized = params;
    sized.size = size;
    return parameter_count(sized);
  };
  CHECK(count_of(Vit::Size::tiny) == expected["tiny"]);
  CHECK(count_of(Vit::Size::small) == expected["small"]);
  CHECK(count_of(Vit::Size::base) == expected["base"]);
  auto distilled = params;
  distilled.size = Vit::Size::small;
  distilled.distilled = true;
  // As the base one: a token and its place more.
  CHECK(parameter_count(distilled) - expected["small"].get<std::int64_t>() == 2 * 384);
  CHECK(expected["distilled"].get<std::int64_t>() - expected["base"].get<std::int64_t>() == 2 * 768);
  auto registers = params;
  registers.size = Vit::Size::small;
  registers.patch_size = 14;
  registers.image_height = 518;
  registers.image_width = 518;
  registers.registers = 4;
  registers.layer_scale = 1e-5;
  CHECK(parameter_count(registers) ==
        expected["registers"].get<std::int64_t>() + 384);  // the class token's place
}

TEST_CASE("large has 24 blocks of 1024 channels") {
  // Its 300 million numbers are not made; those of a block are alike.
  auto params = small_params();
  params.size = Vit::Size::large;
  params.dim = 0;
  params.heads = 0;
  params.depth = 1;
  const Vit vit(params, {});
  CHECK(vit.channels() == 1024);
  const auto total =
      kindred::test::golden_json("weights/vit_expected.json")["parameters"]["large"].get<std::int64_t>();
  const std::int64_t block = 12 * 1024 * 1024 + 13 * 1024;
  const std::int64_t rest = 1024 * 3 * 256 + 1024 + 1024 + 197 * 1024 + 2 * 1024;
  CHECK(total == 24 * block + rest);
}

TEST_CASE("tokens are the class token and the patches row by row, with their grid") {
  const torch::NoGradGuard no_grad;
  Vit vit(small_params(), {});
  CHECK(vit.gives() == kindred::FeatureForm::tokens);
  CHECK(vit.channels() == 32);
  CHECK(vit.blocks() == std::vector<std::string>{"stem", "blocks.0", "blocks.1", "norm"});
  const auto images = kindred::test::formula_images(64, 32);
  const auto result = whole(vit)->propagate(images);
  CHECK(result.values.sizes().vec() == Shape{2, 9, 32});
  REQUIRE(result.grid);
  CHECK(result.grid->rows == 4);
  CHECK(result.grid->columns == 2);
  CHECK(result.grid->extra == 1);
  CHECK(result.map().sizes().vec() == Shape{2, 32, 4, 2});
  CHECK(torch::equal(result.class_token(), result.values.select(1, 0)));
  // A pixel in row 2, column 1 of the patches changes that token of the stem alone.
  auto changed = images.clone();
  changed[0][1][2 * 16 + 3][16 + 5] += 1;
  const auto stem = vit.trunk("stem");
  const auto difference =
      (stem->propagate(changed).map() - stem->propagate(images).map()).abs().sum(1)[0];  // [4, 2]
  CHECK(difference[2][1].item<double>() > 0);
  CHECK(difference.sum().item<double>() == difference[2][1].item<double>());
}

TEST_CASE("patches overlap with a stride below their size") {
  auto params = small_params();
  params.image_height = 256;
  params.image_width = 128;
  params.stride = 12;
  Vit vit(params, {});
  const torch::NoGradGuard no_grad;
  const auto result = vit.trunk("stem")->propagate(torch::rand({1, 3, 256, 128}));
  CHECK(result.grid->rows == 21);
  CHECK(result.grid->columns == 10);
  CHECK(result.values.size(1) == 211);
}

TEST_CASE("distillation token and registers stand after the class token, and only registers have no place") {
  auto params = small_params();
  params.distilled = true;
  params.registers = 3;
  Vit vit(params, {});
  const torch::NoGradGuard no_grad;
  const auto stem = vit.trunk("stem");
  const auto result = stem->propagate(kindred::test::formula_images(64, 32));
  CHECK(result.grid->extra == 5);
  CHECK(result.values.sizes().vec() == Shape{2, 13, 32});
  const auto tensors = stem->named_parameters();
  const auto places = tensors["position.embedding"];
  CHECK(places.sizes().vec() == Shape{1, 10, 32});
  CHECK(torch::equal(result.values.narrow(1, 0, 1)[1],
                     (tensors["tokens.class_token"] + places.narrow(1, 0, 1))[0]));
  CHECK(torch::equal(result.values.narrow(1, 1, 1)[1],
                     (tensors["tokens.distillation_token"] + places.narrow(1, 1, 1))[0]));
  CHECK(torch::equal(result.values.narrow(1, 2, 3)[1], tensors["tokens.register_tokens"][0]));
}

TEST_CASE("a stem of convolutions halves the image until the stride") {
  auto params = small_params();
  params.stem = Vit::StemKind::convolutions;
  params.stride = 8;
  Vit vit(params, {});
  const auto stem = vit.trunk("stem");
  const auto result = stem->propagate(kindred::test::formula_images(64, 32));
  CHECK(result.grid->rows == 8);
  CHECK(result.grid->columns == 4);
  CHECK(result.values.sizes().vec() == Shape{2, 33, 32});
  const auto tensors = stem->named_parameters();
  CHECK(tensors["patch_embed.layers.0.weight"].sizes().vec() == Shape{8, 3, 3, 3});
  CHECK(tensors["patch_embed.layers.6.weight"].sizes().vec() == Shape{32, 16, 3, 3});
  result.values.sum().backward();
  CHECK(tensors["patch_embed.layers.0.weight"].grad().abs().sum().item<double>() > 0);
}

TEST_CASE("images of another size are refused with what to set") {
  Vit vit(small_params(), {});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(vit.trunk("norm")->propagate(torch::rand({1, 3, 64, 48}))),
      "backbone/vit: error: the images have 64 x 48 pixels (height x width), but the position embeddings are "
      "for 64 "
      "x "
      "32; set backbone.image_height = 64 and backbone.image_width = 48, or resize the images",
      kindred::ComponentError);
}

TEST_CASE("every camera, view and pair of both has its own embedding, times the factor") {
  auto params = small_params();
  params.side_factor = 2.0;
  const Vit::Context context{.cameras = 3, .views = 2};
  SUBCASE("cameras") {
    params.side_information = Vit::Side::camera;
    Vit vit(params, context);
    CHECK(vit.side_information().cameras);
    CHECK_FALSE(vit.side_information().views);
    CHECK(vit.side_information().refuses_unknown);
    const auto table = vit.trunk("stem")->named_parameters()["side.embedding"];
    CHECK(table.sizes().vec() == Shape{3, 1, 32});
    for (int i = 0; i < 3; ++i) CHECK(torch::allclose(side_of(vit, i, 1), 2 * table[i][0], 1e-4, 1e-5));
  }
  SUBCASE("views") {
    params.side_information = Vit::Side::view;
    Vit vit(params, context);
    CHECK(vit.side_information().views);
    CHECK_FALSE(vit.side_information().cameras);
    const auto table = vit.trunk("stem")->named_parameters()["side.embedding"];
    CHECK(table.sizes().vec() == Shape{2, 1, 32});
    CHECK(torch::allclose(side_of(vit, 2, 1), 2 * table[1][0], 1e-4, 1e-5));
  }
  SUBCASE("both") {
    params.side_information = Vit::Side::camera_view;
    Vit vit(params, context);
    CHECK(vit.side_information().cameras);
    CHECK(vit.side_information().views);
    const auto table = vit.trunk("stem")->named_parameters()["side.embedding"];
    CHECK(table.sizes().vec() == Shape{6, 1, 32});
    CHECK(torch::allclose(side_of(vit, 2, 1), 2 * table[5][0], 1e-4, 1e-5));
    CHECK(torch::allclose(side_of(vit, 1, 0), 2 * table[2][0], 1e-4, 1e-5));
  }
}

TEST_CASE("an unknown camera has no embedding or the mean of what fits, as the recipe says") {
  auto params = small_params();
  params.side_factor = 1.0;
  params.side_information = Vit::Side::camera_view;
  const Vit::Context context{.cameras = 3, .views = 2};
  params.unknown_camera = UnknownSide::none;
  Vit without(params, context);
  CHECK_FALSE(without.side_information().refuses_unknown);
  CHECK(side_of(without, -1, 1).abs().max().item<double>() < 1e-6);
  CHECK(side_of(without, 1, -1).abs().max().item<double>() < 1e-6);
  CHECK(side_of(without, 1, 1).abs().max().item<double>() > 1e-3);
  params.unknown_camera = UnknownSide::mean;
  Vit mean(params, context);
  const auto table = mean.trunk("stem")->named_parameters()["side.embedding"].view({3, 2, 32});
  CHECK(torch::allclose(side_of(mean, -1, 1), table.select(1, 1).mean(0), 1e-4, 1e-5));
  CHECK(torch::allclose(side_of(mean, 2, -1), table[2].mean(0), 1e-4, 1e-5));
  CHECK(torch::allclose(side_of(mean, -1, -1), table.mean(0).mean(0), 1e-4, 1e-5));
  CHECK(torch::allclose(side_of(mean, 2, 1), table[2][1], 1e-4, 1e-5));
}

TEST_CASE("side information that the data do not have is refused with what to do") {
  auto params = small_params();
  params.side_information = Vit::Side::camera;
  CHECK_THROWS_WITH_AS(
      Vit(params, {}),
      "backbone/vit: error: side_information wants the cameras of the images, but the training data "
      "have none that are known; set backbone.side_information = 'none', or train with data of "
      "several cameras",
      kindred::ComponentError);
  CHECK_THROWS_WITH_AS(Vit(params, {.cameras = 1}), doctest::Contains("have only one;"),
                       kindred::ComponentError);
  params.side_information = Vit::Side::camera_view;
  CHECK_THROWS_WITH_AS(Vit(params, {.cameras = 2}), doctest::Contains("wants the views"),
                       kindred::ComponentError);
  params.side_information = Vit::Side::camera;
  Vit vit(params, {.cameras = 2});
  CHECK_THROWS_WITH_AS(static_cast<void>(vit.trunk("stem")->propagate(torch::rand({1, 3, 64, 32}))),
                       doctest::Contains("the cameras of the images are not known"), kindred::ComponentError);
}

TEST_CASE("the rest after a cut continues a trunk, with tensors of its own") {
  const torch::NoGradGuard no_grad;
  Vit vit(small_params(), {});
  const auto images = kindred::test::formula_images(64, 32);
  const auto expected = whole(vit)->propagate(images);
  for (const std::string cut : {"stem", "blocks.0", "blocks.1", "norm"}) {
    CAPTURE(cut);
    const auto rest = vit.copy_rest(cut, 1);
    rest->eval();
    const auto result = rest->propagate(vit.trunk(cut)->propagate(images));
    CHECK(torch::equal(result.values, expected.values));
    CHECK(result.grid->rows == 4);
  }
  const auto rest = vit.copy_rest("blocks.0", 1);
  const auto names = rest->named_parameters();
  CHECK(names.contains("blocks.1.attn.qkv.weight"));
  CHECK(names.contains("norm.weight"));
  CHECK_FALSE(names.contains("blocks.0.attn.qkv.weight"));
  CHECK(names["norm.weight"].data_ptr() != vit.trunk("norm")->named_parameters()["norm.weight"].data_ptr());
}

TEST_CASE("recomputation gives the same tokens and gradients to the bit, with dropped paths") {
  std::vector<std::vector<torch::Tensor>> results;
  for (const bool recompute : {false, true}) {
    torch::manual_seed(1);
    auto params = small_params();
    params.drop_path = 0.5;
    params.layer_scale = 0.1;
    params.recompute = recompute;
    Vit vit(params, {});
    const auto trunk = vit.trunk("norm");
    const auto tokens = trunk->propagate(kindred::test::formula_images(64, 32)).values;
    tokens.square().mul(torch::arange(32)).sum().backward();
    auto& found = results.emplace_back(std::vector<torch::Tensor>{tokens});
    for (const auto& parameter : trunk->parameters()) found.push_back(parameter.grad());
  }
  REQUIRE(results[0].size() == results[1].size());
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    CAPTURE(i);
    REQUIRE(results[1][i].defined());
    CHECK(torch::equal(results[0][i], results[1][i]));
  }
}

TEST_CASE("paths are dropped in training alone, by the backbone's own stream") {
  const torch::NoGradGuard no_grad;
  auto params = small_params();
  params.drop_path = 0.9;
  const auto random = std::make_shared<kindred::RandomStream>(1);
  Vit vit(params, {.random = random});
  const auto trunk = vit.trunk("norm");
  const auto images = kindred::test::formula_images(64, 32);
  *random = kindred::RandomStream(7);
  const auto first = trunk->propagate(images).values;
  const auto second = trunk->propagate(images).values;
  *random = kindred::RandomStream(7);
  CHECK(torch::equal(trunk->propagate(images).values, first));
  CHECK_FALSE(torch::equal(first, second));
  trunk->eval();
  CHECK(torch::equal(trunk->propagate(images).values, trunk->propagate(images).values));
}

TEST_CASE("gradients reach every parameter of a vision transformer") {
  auto params = small_params();
  params.distilled = true;
  params.registers = 2;
  params.layer_scale = 0.1;
  params.side_information = Vit::Side::camera;
  Vit vit(params, {.cameras = 2});
  const auto trunk = vit.trunk("norm");
  const auto tokens =
      trunk->propagate(with_sides(kindred::test::formula_images(64, 32), {0, 1}, {0, 0})).values;
  (tokens * torch::rand_like(tokens)).sum().backward();
  for (const auto& item : trunk->named_parameters()) {
    CAPTURE(item.key());
    REQUIRE(item.value().grad().defined());
    CHECK(item.value().grad().abs().sum().item<double>() > 0);
  }
}

TEST_CASE("parameters that make no network are refused with what to do") {
  using kindred::Value;
  CHECK(schema_error("dim", Value(100)) ==
        "backbone 'vit': dim = 100 does not divide into heads of 64; choose a multiple, or set heads");
  CHECK(schema_error("heads", Value(7)) ==
        "backbone 'vit': dim = 768 does not divide into heads = 7; choose a multiple");
  CHECK(schema_error("stride", Value(20)) ==
        "backbone 'vit': stride = 20 is larger than patch_size = 16, so patches would leave gaps; lower "
        "stride");
  CHECK(schema_error("image_width", Value(8)) ==
        "backbone 'vit': image_height and image_width must be at least patch_size = 16");
  CHECK(schema_error("stem", Value("convolutions"), "stride", Value(12)) ==
        "backbone 'vit': stem = 'convolutions' halves the image again and again: stride must be 2, 4, 8, 16, "
        "32 or 64");
  CHECK(schema_error("stem", Value("convolutions"), "patch_size", Value(8)) ==
        "backbone 'vit': patch_size has no effect with stem = 'convolutions'; set stride alone");
  CHECK(schema_error("stride", Value(12)).empty());
}
