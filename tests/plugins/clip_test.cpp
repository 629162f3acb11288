// CLIP's image encoders and the head of CLIP-ReID against the programs' own outputs.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "attention_pool.h"
#include "clip_layouts.h"
#include "clip_reid.h"
#include "clip_resnet.h"
#include "clip_vit.h"
#include "foreign_weights.h"
#include "golden/clip_golden.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "kindred/nn/residual_network.h"
#include "weights/initial_weights.h"

using namespace kindred;
using namespace kindred::test;

namespace {

constexpr std::int64_t golden_identities = 5;

const Catalog& clip_catalog() {
  static const auto made = tiny_catalog_with([](Catalog& scratch) {
    scratch.add<clip::ClipVit>("clip_vit");
    scratch.add<clip::ClipResnet>("clip_resnet");
    scratch.add<clip::ClipReid>("clip_reid");
  });
  return made;
}

recipe::Plan clip_plan(const std::string& backbone, const std::string& head) {
  return tiny_plan(clip_catalog(),
                   {"backbone=" + backbone, "head=" + head, "loss=[{type='entropy',on=['logits*']}]"});
}

model::Population golden_population() {
  model::Population population(golden_identities);
  population.cameras = {0, 1, 2};
  population.views = {0, 1};
  return population;
}

/// The plan's model with the file's tensors.
struct Filled {
  std::shared_ptr<model::Model> model;
  weights::MatchReport report;
};

Filled filled_from(const weights::WeightsFile& file, const recipe::Plan& plan) {
  Filled filled;
  filled.model = model::build_model(plan, golden_population());
  const auto weights = weights::translate_for(file, weights::known_layouts(plan), *filled.model, "");
  filled.report = weights::match_weights(weights, *filled.model, "", {});
  weights::copy_weights(weights, *filled.model, "");
  return filled;
}

Names missing_of(const weights::MatchReport& report) {
  Names names;
  for (const auto& row : report.rows) {
    if (row.state == weights::TensorState::missing) names.push_back(row.name);
    const bool sound = row.state != weights::TensorState::wrong_shape &&
                       row.state != weights::TensorState::wrong_type &&
                       row.state != weights::TensorState::unused;
    CAPTURE(row.name);
    CHECK(sound);
  }
  return names;
}

/// Of the head, what no file of CLIP has.
const Names not_in_clip = {"head.neck.weight",
                           "head.neck.bias",
                           "head.neck.running_mean",
                           "head.neck.running_var",
                           "head.neck_projected.weight",
                           "head.neck_projected.bias",
                           "head.neck_projected.running_mean",
                           "head.neck_projected.running_var",
                           "head.classifier.weight",
                           "head.classifier_projected.weight"};

bool has_all(Names found, Names wanted) {
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  return found == wanted;
}

/// RN50's tensors as the golden values have them.
Shapes resnet_shapes(const std::string& prefix, std::int64_t places) {
  Shapes shapes;
  for (auto& [name, shape] : shapes_of(clip_golden()["published"]["RN50"])) {
    if (!name.starts_with("visual.")) continue;
    auto own = shape;
    if (name == "visual.attnpool.positional_embedding") own[0] = places;
    shapes[prefix + name.substr(std::string("visual.").size())] = own;
  }
  return shapes;
}

Activations golden_input(std::int64_t height, std::int64_t width) {
  Activations input(clip_images(height, width));
  input.cameras = torch::tensor({0, 2, 1, 2}, torch::kInt64);
  input.views = torch::tensor({1, 0, 1, 1}, torch::kInt64);
  return input;
}

void check_reid(const std::string& key, const std::string& backbone, const std::string& head,
                const weights::WeightsFile& file, std::int64_t dim) {
  const torch::NoGradGuard no_grad;
  const auto& golden = clip_golden()[key];
  const auto input = golden_input(64, 32);
  for (const std::string feature : {"global", "neck"}) {
    const auto plan = clip_plan(backbone, "{type='clip_reid'," + head + "test_feature='" + feature + "'}");
    const auto [model, report] = filled_from(file, plan);
    CHECK(report.layout == "CLIP-ReID");
    CHECK(missing_of(report).empty());
    model->eval();
    const auto descriptor = model->forward(input).back();
    CHECK(descriptor.size(1) == dim);
    CHECK(clip_difference(descriptor, golden[feature == "neck" ? "descriptor_after" : "descriptor_before"]) <
          1e-4);
    model->train();
    const auto infos = model->outputs();
    const auto outputs = model->forward(input);
    for (std::size_t i = 0; i < infos.size(); ++i) {
      CAPTURE(infos[i].name);
      CHECK(outputs[i].size(1) == infos[i].dim);
      // Batch norms over four images that are much alike make rounding larger.
      const bool normalized = infos[i].kind == OutputKind::logits;
      if (golden.contains(infos[i].name)) {
        CHECK(clip_difference(outputs[i], golden[infos[i].name]) < (normalized ? 1e-3 : 1e-4));
      }
    }
  }
}

}  // namespace

TEST_CASE("OpenAI's file of a vision transformer gives OpenAI's features") {
  const torch::NoGradGuard no_grad;
  Shapes shapes;
  for (auto& [name, shape] : shapes_of(clip_golden()["published"]["ViT-B/16"])) {
    const bool block = name.find("resblocks.") != std::string::npos;
    if (block && name.find("resblocks.0.") == std::string::npos &&
        name.find("resblocks.1.") == std::string::npos)
      continue;
    if (name == "token_embedding.weight") continue;
    shapes[name] = shape;
  }
  shapes["visual.positional_embedding"] = {5, 768};
  const auto plan =
      clip_plan("{type='clip_vit',depth=2,image_height=32,image_width=32}", "{type='clip_reid'}");
  const auto [model, report] = filled_from(clip_file(shapes), plan);
  CHECK(report.layout == "CLIP");
  CHECK(has_all(missing_of(report), not_in_clip));
  model->eval();
  const auto descriptor = model->forward(clip_images(32, 32)).back();
  REQUIRE(descriptor.size(1) == 768 + 512);
  CHECK(clip_difference(descriptor.narrow(1, 768, 512), clip_golden()["vit"]["projected"]) < 1e-4);
}

TEST_CASE("OpenAI's file of a residual network gives OpenAI's features") {
  const torch::NoGradGuard no_grad;
  const auto plan =
      clip_plan("{type='clip_resnet'}", "{type='clip_reid',projected_dim=1024,last_stride=2,grid=[2,2]}");
  const auto [model, report] = filled_from(clip_file(resnet_shapes("visual.", 5)), plan);
  CHECK(report.layout == "CLIP");
  CHECK(has_all(missing_of(report), not_in_clip));
  model->eval();
  const auto descriptor = model->forward(clip_images(64, 64)).back();
  REQUIRE(descriptor.size(1) == 2048 + 1024);
  CHECK(clip_difference(descriptor.narrow(1, 2048, 1024), clip_golden()["resnet"]["projected"]) < 1e-4);
}

TEST_CASE("CLIP-ReID's own files give its features, logits and descriptors") {
  SUBCASE("vision transformer, overlapping patches, cameras and views") {
    check_reid("reid_vit",
               "{type='clip_vit',depth=2,image_height=64,image_width=32,stride=12,side_information='camera_"
               "view',side_factor=3.0}",
               "", clip_file(shapes_of(clip_golden()["reid_vit"]["tensors"])), 768 + 512);
  }
  SUBCASE("residual network") {
    auto shapes = shapes_of(clip_golden()["reid_resnet"]["tensors"]);
    shapes.merge(resnet_shapes("image_encoder.", 4 * 2 + 1));
    check_reid("reid_resnet", "{type='clip_resnet'}", "projected_dim=1024,grid=[4,2],", clip_file(shapes),
               2048 + 1024);
  }
}

TEST_CASE("CLIP-ReID's files ask for the images and the last stride of its configurations") {
  const auto settings_of = [](const Shapes& shapes) {
    return weights::translate(clip_file(shapes), weights::known_layouts(clip_catalog()))
        .layout.value()
        .settings;
  };
  CHECK(settings_of(shapes_of(clip_golden()["reid_vit"]["tensors"])) ==
        Names{"augmentation.resize.antialias=true", "augmentation.normalize.mean=[0.5,0.5,0.5]",
              "augmentation.normalize.std=[0.5,0.5,0.5]"});
  auto shapes = shapes_of(clip_golden()["reid_resnet"]["tensors"]);
  shapes.merge(resnet_shapes("image_encoder.", 4 * 2 + 1));
  CHECK(settings_of(shapes) == Names{"augmentation.resize.antialias=true", "head.last_stride=1"});
}

TEST_CASE("without side information the features are those of the first stage") {
  const torch::NoGradGuard no_grad;
  auto shapes = shapes_of(clip_golden()["reid_vit"]["tensors"]);
  shapes.erase("cv_embed");
  const auto plan =
      clip_plan("{type='clip_vit',depth=2,image_height=64,image_width=32,stride=12}", "{type='clip_reid'}");
  const auto [model, report] = filled_from(clip_file(shapes), plan);
  CHECK(missing_of(report).empty());
  model->eval();
  const auto projected = model->forward(golden_input(64, 32)).back().narrow(1, 768, 512);
  CHECK(clip_difference(projected, clip_golden()["reid_vit"]["without_side"]) < 1e-4);
}

TEST_CASE("position embeddings are interpolated as CLIP-ReID does") {
  const auto adapted = [](const std::string& key, const std::string& name, std::vector<std::int64_t> shape,
                          const recipe::Plan& plan, const std::string& own) {
    weights::WeightsFile file;
    file.file = "made.pt";
    for (auto& [other, size] : shapes_of(clip_golden()["published"][key])) {
      if (!other.starts_with("visual.")) continue;
      file.content.tensors.emplace_back(
          other, other == name ? clip_values(name, shape) : torch::zeros(size, torch::kFloat32));
    }
    const auto [model, report] = filled_from(file, plan);
    for (const auto& [tensor_name, tensor] : model::module_tensors(*model)) {
      if (tensor_name == own) return tensor.detach().clone();
    }
    return torch::Tensor();
  };
  const auto vit = adapted(
      "ViT-B/16", "visual.positional_embedding", {197, 768},
      clip_plan("{type='clip_vit',depth=2,image_height=64,image_width=32,stride=12}", "{type='clip_reid'}"),
      "backbone.embedding.position.embedding");
  REQUIRE(vit.defined());
  REQUIRE(vit.sizes().vec() == std::vector<std::int64_t>{1, 11, 768});
  CHECK(clip_difference(vit.narrow(1, 1, 10), clip_golden()["reid_vit"]["adapted"], 48) < 1e-5);
  CHECK(torch::equal(vit[0][0], clip_values("visual.positional_embedding", {197, 768})[0]));

  const auto pool =
      adapted("RN50", "visual.attnpool.positional_embedding", {50, 2048},
              clip_plan("{type='clip_resnet'}", "{type='clip_reid',projected_dim=1024,grid=[4,2]}"),
              "head.projection.position.embedding");
  REQUIRE(pool.defined());
  CHECK(clip_difference(pool.narrow(1, 1, 8), clip_golden()["reid_resnet"]["adapted"], 48) < 1e-5);
}

TEST_CASE("the published networks fit, whole") {
  std::map<std::string, std::unique_ptr<Backbone>> backbones;
  backbones["ViT-B/16"] = std::make_unique<clip::ClipVit>(clip::ClipVit::Params{}, Backbone::Context{});
  backbones["RN50"] = std::make_unique<clip::ClipResnet>(clip::ClipResnet::Params{}, Backbone::Context{});
  for (const auto& entry : backbones) {
    CAPTURE(entry.first);
    weights::WeightsFile file;
    file.file = "made.pt";
    for (const auto& [tensor, shape] : shapes_of(clip_golden()["published"][entry.first])) {
      const auto type = tensor.ends_with("num_batches_tracked") ? torch::kInt64 : torch::kFloat32;
      file.content.tensors.emplace_back(tensor, torch::empty(shape, type));
    }
    const auto trunk = entry.second->trunk(entry.second->blocks().back());
    const auto weights = weights::translate_for(file, weights::known_layouts(clip_catalog()), *trunk,
                                                weights::backbone_prefix);
    const auto report = weights::match_weights(weights, *trunk, weights::backbone_prefix, {});
    CHECK(report.layout == "CLIP");
    CHECK(report.complete());
  }
}

TEST_CASE("the head cuts before the last block of a transformer and the last stage of a residual network") {
  clip::ClipVit vit({.depth = 3, .image_height = 32, .image_width = 32}, {});
  const clip::ClipReid of_tokens({}, {vit, 4});
  const auto tokens = of_tokens.named_parameters();
  CHECK(tokens.contains("rest.blocks.2.norm1.weight"));
  CHECK_FALSE(tokens.contains("rest.blocks.1.norm1.weight"));
  CHECK(tokens.contains("rest.norm.weight"));
  CHECK(of_tokens.outputs().front().dim == 768);

  ResidualNetwork plain({.stages = {1, 1, 1, 2}, .width_multiplier = 0.125});
  clip::ClipReid of_map({.projected_dim = 32, .grid = {4, 2}}, {plain, 4});
  const auto map = of_map.named_parameters();
  CHECK(map.contains("rest.layer4.0.conv1.weight"));
  CHECK(map.contains("rest.layer4.1.conv1.weight"));
  CHECK_FALSE(map.contains("rest.layer3.0.conv1.weight"));
  CHECK(of_map.outputs()[0].dim == 128);
  CHECK(of_map.outputs()[1].dim == 256);
  const auto outputs = of_map.forward(of_map.trunk()->propagate(torch::rand({2, 3, 64, 32})));
  CHECK(outputs.back().sizes().vec() == std::vector<std::int64_t>{2, 256 + 32});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(of_map.forward(of_map.trunk()->propagate(torch::rand({2, 3, 64, 64})))),
      doctest::Contains("grid = [4, 2], but the map has rows and columns [4, 4]"), ComponentError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(of_map.forward(of_map.trunk()->propagate(torch::rand({1, 3, 64, 32})))),
      doctest::Contains("at least 2 images"), ComponentError);
}

TEST_CASE("a transformer for other images says which it is made for") {
  clip::ClipVit vit({.depth = 1, .image_height = 48, .image_width = 32}, {});
  const auto trunk = vit.trunk("norm");
  const auto tokens = trunk->propagate(torch::rand({1, 3, 48, 32}));
  CHECK(tokens.grid->rows == 3);
  CHECK(tokens.grid->columns == 2);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(trunk->propagate(torch::rand({1, 3, 64, 32}))),
      doctest::Contains("is made for images of 48 x 32 pixels and was given some of 64 x 32"),
      ComponentError);
  CHECK_THROWS_WITH_AS(clip::ClipVit({.side_information = clip::ClipVit::Side::camera}, {}),
                       doctest::Contains("tell no cameras apart"), ComponentError);
}

TEST_CASE("a transformer whose patches leave gaps, or are larger than the images, is refused") {
  const auto said = [](const std::string& name, std::int64_t pixels) {
    Table table;
    table.set(name, Value(pixels));
    Diagnostics diagnostics;
    (void)clip::ClipVit::schema().parse(Value(table), "backbone 'clip_vit'", diagnostics);
    return diagnostics.empty() ? "" : diagnostics.all()[0].message;
  };
  CHECK(said("stride", 12).empty());
  CHECK(
      said("stride", 20) ==
      "backbone 'clip_vit': stride = 20 is larger than the variant's patches of 16 pixels, which would leave "
      "gaps; lower stride");
  CHECK(said("image_width", 8) ==
        "backbone 'clip_vit': image_height and image_width must be at least those of a patch, 16");
}

TEST_CASE("an unknown camera is refused, has no vector or the mean of all") {
  clip::ClipVit::Params params{.depth = 1, .image_height = 32, .image_width = 32};
  params.side_information = clip::ClipVit::Side::camera;
  const Backbone::Context context{.cameras = 2};
  CHECK(clip::ClipVit(params, context).side_information().refuses_unknown);
  const auto token_of = [&](UnknownSide unknown, std::int64_t camera) {
    params.unknown_camera = unknown;
    torch::manual_seed(1);
    clip::ClipVit net(params, context);
    CHECK(net.side_information().refuses_unknown == (unknown == UnknownSide::refuse));
    const auto trunk = net.trunk("embedding");
    for (auto& item : trunk->named_parameters()) {
      const torch::NoGradGuard no_grad;
      if (item.key() == "embedding.side.embedding") item.value()[1].copy_(-item.value()[0]);
    }
    Activations images(torch::zeros({1, 3, 32, 32}));
    images.cameras = torch::full({1}, camera, torch::kInt64);
    return trunk->propagate(images).class_token();
  };
  const auto none = token_of(UnknownSide::none, -1);
  CHECK(torch::allclose(token_of(UnknownSide::mean, -1), none));  // of two that cancel each other out
  CHECK_FALSE(torch::allclose(token_of(UnknownSide::none, 0), none));
}

TEST_CASE("the larger networks have their published numbers of parameters") {
  // Counted in OpenAI's networks, less projection and attention pooling.
  const auto count = [](Backbone& backbone) {
    std::int64_t sum = 0;
    for (const auto& parameter : backbone.trunk(backbone.blocks().back())->parameters())
      sum += parameter.numel();
    return sum;
  };
  clip::ClipResnet rn101({.variant = clip::ResnetVariant::rn101}, {});
  CHECK(rn101.channels() == 2048);
  CHECK(count(rn101) == 42519392);
  clip::ClipResnet x4({.variant = clip::ResnetVariant::rn50x4}, {});
  CHECK(x4.channels() == 2560);
  CHECK(count(x4) == 65619640);
  clip::ClipVit b32({.variant = clip::VitVariant::b32, .depth = 1, .image_height = 224, .image_width = 224},
                    {});
  CHECK(count(b32) == 9489408);
}

TEST_CASE("every rule of CLIP's layouts can be reached") {
  check_rules(clip::vit_layouts());
  check_rules(clip::resnet_layouts());
}
