// Vision transformers: the values of timm, torchvision, DINOv2, DeiT III and TransReID, from files with their
// names.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bnneck.h"
#include "command/weights.h"
#include "file/safetensors.h"
#include "foreign_weights.h"
#include "golden/formula_values.h"
#include "golden/golden_model.h"
#include "kindred/core/error.h"
#include "model/model.h"
#include "model/model_file.h"
#include "temporary_folder.h"
#include "training/checkpoint.h"
#include "training/plan_check.h"
#include "training/trainer.h"
#include "transreid.h"
#include "vit.h"
#include "weights/initial_weights.h"
#include "weights/layouts.h"
#include "weights/matching.h"

using namespace kindred;
using namespace kindred::test;
using vit::Vit;

namespace {

const nlohmann::json& vit_golden() {
  static const auto read = golden_json("weights/vit_expected.json");
  return read;
}

const Catalog& vit_catalog() {
  static const auto made = tiny_catalog_with([](Catalog& scratch) {
    scratch.add<Vit>("vit");
    scratch.add<transreid::Transreid>("transreid");
    scratch.add<bnneck::Bnneck>("bnneck");
  });
  return made;
}

// As make_vit.py's values(): variances are around 1, and counters are whole numbers.
weights::WeightsFile program_file(const std::string& program) {
  weights::WeightsFile file;
  file.file = "made.pth";
  for (const auto& [name, shape] : tensors_from(vit_golden()["programs"][program]["tensors"])) {
    auto tensor =
        name.ends_with("num_batches_tracked") ? torch::zeros({}, torch::kInt64) : formula_values(name, shape);
    if (name.ends_with("running_var")) tensor = tensor + 1;
    file.content.tensors.emplace_back(name, tensor);
  }
  return file;
}

Vit::Params narrow_params(std::int64_t height, std::int64_t width) {
  Vit::Params params;
  params.dim = 32;
  params.depth = 2;
  params.heads = 4;
  params.image_height = height;
  params.image_width = width;
  return params;
}

// Fills a backbone with a program's file: every tensor finds its place, and what the layout sets.
std::vector<std::string> fill_backbone(NetworkPart& part, const std::string& program,
                                       const std::string& layout) {
  const auto weights =
      weights::translate_for(program_file(program), weights::known_layouts(vit_catalog()), part, "backbone.");
  const auto report = weights::match_weights(weights, part, "backbone.", {});
  CAPTURE(weights::trouble_text(report));
  CHECK(report.layout == layout);
  CHECK(report.complete());
  CHECK(report.count(weights::TensorState::unused) == 0);
  weights::copy_weights(weights, part, "backbone.");
  return weights.layout ? weights.layout->settings : std::vector<std::string>();
}

void check_tokens(const std::string& program, const Activations& tokens) {
  const auto& expected = vit_golden()["programs"][program];
  CHECK(relative_difference(tokens.class_token(), expected["class"].get<std::vector<double>>()) < 2e-5);
  CHECK(relative_difference(tokens.map().mean({2, 3}), expected["mean"].get<std::vector<double>>()) < 2e-5);
}

// A plan with TransReID's network of make_vit.py; the backbone's keys in TOML.
std::shared_ptr<model::Model> transreid_model(const std::string& backbone, const std::string& head,
                                              const std::string& program) {
  const auto plan =
      tiny_plan(vit_catalog(), {"backbone={type='vit',dim=32,heads=4,stride=12," + backbone + "}",
                                "head={" + head + "}", "loss=[{type='entropy',on=['logits*']}]"});
  model::Population population(5);
  population.cameras = {1, 2, 3};
  population.views = {0, 1};
  auto built = model::build_model(plan, population);
  const auto weights = weights::translate_for_plan(program_file(program), plan);
  const auto report = weights::match_weights(weights, *built, "", {});
  CAPTURE(weights::trouble_text(report));
  CHECK(report.layout == "TransReID");
  CHECK(report.complete());
  CHECK(report.count(weights::TensorState::unused) == 0);
  weights::copy_weights(weights, *built, "");
  built->eval();
  return built;
}

Activations sided_images(std::int64_t height, std::int64_t width) {
  Activations images(formula_images(height, width));
  images.cameras = torch::tensor({2, 0}, torch::kInt64);
  images.views = torch::tensor({1, 1}, torch::kInt64);
  return images;
}

double descriptor_difference(model::Model& network, const std::string& program, const std::string& feature,
                             const Activations& images) {
  const torch::NoGradGuard no_grad;
  return relative_difference(network.forward(images).back(),
                             vit_golden()["programs"][program][feature].get<std::vector<double>>());
}

// Of images of 64 x 32 pixels.
void check_file_gives_tokens(const Vit::Params& params, const std::string& program, const std::string& layout,
                             const std::vector<std::string>& settings) {
  const torch::NoGradGuard no_grad;
  Vit net(params, {});
  const auto part = net.trunk("norm");
  CHECK(fill_backbone(*part, program, layout) == settings);
  part->eval();
  check_tokens(program, part->propagate(formula_images(64, 32)));
}

}  // namespace

TEST_CASE("a vision transformer filled from timm's file gives timm's tokens") {
  auto params = narrow_params(64, 32);
  SUBCASE("plain") {
    check_file_gives_tokens(params, "timm", "timm", {});
  }
  SUBCASE("distilled") {
    params.distilled = true;
    check_file_gives_tokens(params, "timm_distilled", "timm", {"backbone.distilled=true"});
  }
  SUBCASE("with registers, and no place for the class token") {
    params.registers = 4;
    params.layer_scale = 1e-5;
    check_file_gives_tokens(params, "timm_registers", "timm",
                            {"backbone.layer_scale=1e-5", "backbone.registers=4"});
  }
}

TEST_CASE("a vision transformer filled from DeiT III's own file gives its tokens") {
  auto params = narrow_params(64, 32);
  params.layer_scale = 1e-4;
  check_file_gives_tokens(params, "deit3", "DeiT III", {"backbone.layer_scale=1e-4"});
}

TEST_CASE("a position of the class token is kept where a file with DeiT III's names has one") {
  const torch::NoGradGuard no_grad;
  auto params = narrow_params(64, 64);
  params.layer_scale = 1e-4;
  Vit net(params, {});
  const auto part = net.trunk("norm");
  const auto filled_with = [&](std::int64_t tokens) {
    auto file = program_file("deit3");
    const auto positions = formula_values("pos_embed", {1, tokens, params.dim});
    for (auto& [name, tensor] : file.content.tensors) {
      if (name == "pos_embed") tensor = positions;
    }
    const auto weights =
        weights::translate_for(file, weights::known_layouts(vit_catalog()), *part, "backbone.");
    CHECK(weights::match_weights(weights, *part, "backbone.", {}).complete());
    weights::copy_weights(weights, *part, "backbone.");
    return std::pair(positions, part->named_parameters()["position.embedding"].clone());
  };
  const auto [ibot, kept] = filled_with(17);
  CHECK(torch::equal(kept, ibot));
  const auto [deit, added] = filled_with(16);
  CHECK(torch::equal(added.narrow(1, 1, 16), deit));
  CHECK(added.select(1, 0).abs().max().item<float>() == 0);
}

TEST_CASE("a vision transformer filled from torchvision's file gives torchvision's tokens") {
  const torch::NoGradGuard no_grad;
  Vit net(narrow_params(64, 64), {});
  const auto part = net.trunk("norm");
  fill_backbone(*part, "torchvision", "torchvision");
  part->eval();
  check_tokens("torchvision", part->propagate(formula_images(64, 64)));
}

TEST_CASE("a vision transformer filled from DINOv2's file gives DINOv2's tokens, with registers, too") {
  const torch::NoGradGuard no_grad;
  for (const bool registers : {false, true}) {
    CAPTURE(registers);
    auto params = narrow_params(56, 56);
    params.patch_size = 14;
    params.layer_scale = 1e-5;
    params.registers = registers ? 4 : 0;
    const std::string program = registers ? "dinov2_registers" : "dinov2";
    Vit net(params, {});
    const auto part = net.trunk("norm");
    const auto settings = fill_backbone(*part, program, "DINOv2");
    CHECK(settings.size() == (registers ? 3 : 2));
    CHECK(settings[1] == "backbone.patch_size=14");
    part->eval();
    check_tokens(program, part->propagate(formula_images(56, 56)));
  }
}

TEST_CASE("MoCo v3's networks are told by their projection, and have its number of heads") {
  Vit net(narrow_params(64, 32), {});
  const auto part = net.trunk("norm");
  const auto layout_of = [&](const Names& more) {
    auto file = program_file("timm");
    for (const auto& name : more) file.content.tensors.emplace_back(name, torch::ones({32}));
    for (auto& entry : file.content.tensors) entry.first = "module.base_encoder." + entry.first;
    const auto weights =
        weights::translate_for(file, weights::known_layouts(vit_catalog()), *part, "backbone.");
    CHECK(weights.prefix == "module.base_encoder.");
    return weights.layout.value();
  };
  const auto small = layout_of({"head.0.weight", "head.1.running_mean"});
  CHECK(small.name == "MoCo v3");
  auto plan = tiny_plan(vit_catalog(),
                        {"backbone={type='vit',size='small'}", "head={type='bnneck',pooling='class_token'}",
                         "loss=[{type='entropy',on=['logits']}]"});
  CHECK(weights::demands_text(weights::meet_demands(plan, small, "moco.pth", false)) ==
        "backbone.heads = 12 (set)");
  const auto large = layout_of({"head.0.weight", "head.1.running_mean", "blocks.23.attn.qkv.weight"});
  CHECK(large.settings == Names{"backbone.heads=16"});
  CHECK(layout_of({"head.0.weight"}).name == "timm");
}

TEST_CASE("TransReID's file with jigsaw patches, cameras and views gives its descriptors and logits") {
  // 15 patches: an odd number, of which one is repeated.
  const std::string backbone = "depth=12,image_height=64,image_width=40,side_information='camera_view'";
  const auto before = transreid_model(backbone, "type='transreid'", "transreid");
  CHECK(descriptor_difference(*before, "transreid", "before", sided_images(64, 40)) < 2e-5);
  const auto after = transreid_model(backbone, "type='transreid',test_feature='after'", "transreid");
  CHECK(descriptor_difference(*after, "transreid", "after", sided_images(64, 40)) < 2e-5);
  before->train();
  const auto outputs = before->forward(sided_images(64, 40));
  REQUIRE(outputs.size() == 11);
  const auto logits = torch::cat({outputs[5], outputs[6], outputs[7], outputs[8], outputs[9]}, 1);
  CHECK(relative_difference(logits.detach(),
                            vit_golden()["programs"]["transreid"]["logits"].get<std::vector<double>>()) <
        1e-4);
  // It tells cameras apart.
  before->eval();
  auto other = sided_images(64, 40);
  other.cameras.fill_(1);
  CHECK(descriptor_difference(*before, "transreid", "before", other) > 1e-2);
}

TEST_CASE("an import of a network that uses cameras asks for their numbers, and the model file keeps them") {
  const TemporaryFolder folder;
  command::ImportOptions options;
  options.file = folder / "transreid.safetensors";
  options.out = folder / "model.safetensors";
  file::write_safetensors(options.file, program_file("transreid").content);
  const auto plan =
      tiny_plan(vit_catalog(), {"backbone={type='vit',dim=32,heads=4,stride=12,depth=12,"
                                "image_height=64,image_width=40,side_information='camera_view'}",
                                "head={type='transreid'}", "loss=[{type='entropy',on=['logits*']}]"});
  const auto message = [&] {
    try {
      static_cast<void>(command::import_weights(plan, options));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message().find("give their numbers in the order in which the program counted them: --cameras "
                       "1,2,3,4,5,6") != std::string::npos);
  options.cameras = {3, 1, 2};
  options.views = {0, 1};
  CHECK(message() == "error: --cameras: whole numbers from 0 are allowed, each larger than the one before");
  options.cameras = {2, 4, 7};
  const auto outcome = command::import_weights(plan, options);
  CAPTURE(outcome.text);
  REQUIRE(outcome.written);
  const auto read = model::read_model_file(options.out, vit_catalog(), {});
  CHECK((read.model->population().cameras == std::vector<model::Camera>{2, 4, 7}));
  CHECK(read.model->population().views == std::vector<std::int64_t>{0, 1});
  CHECK(descriptor_difference(*read.model, "transreid", "before", sided_images(64, 40)) < 2e-5);
}

TEST_CASE("TransReID's file without jigsaw patches fits its head and a bnneck on the class token") {
  const std::string size = "depth=2,image_height=64,image_width=32";
  for (const std::string program : {"transreid_camera", "transreid_plain"}) {
    const std::string side = program == "transreid_camera" ? ",side_information='camera'" : "";
    CAPTURE(program);
    for (const auto* head : {"type='transreid',jpm=false",
                             "type='bnneck',pooling='class_token',"
                             "test_feature='global'"}) {
      CAPTURE(head);
      const auto model = transreid_model(size + side, head, program);
      CHECK(descriptor_difference(*model, program, "before", sided_images(64, 32)) < 2e-5);
    }
    const auto after =
        transreid_model(size + side, "type='transreid',jpm=false,test_feature='after'", program);
    CHECK(descriptor_difference(*after, program, "after", sided_images(64, 32)) < 2e-5);
    after->train();
    CHECK(relative_difference(after->forward(sided_images(64, 32))[1].detach(),
                              vit_golden()["programs"][program]["logits"].get<std::vector<double>>()) < 1e-4);
  }
}

TEST_CASE(
    "of TransReID's file with jigsaw patches a backbone alone takes the trained copy of the last block") {
  auto params = narrow_params(64, 40);
  params.depth = 12;
  params.stride = 12;
  params.side_information = Vit::Side::camera_view;
  Vit net(params, {.cameras = 3, .views = 2});
  const auto part = net.trunk("norm");
  const auto file = program_file("transreid");
  const auto weights =
      weights::translate_for(file, weights::known_layouts(vit_catalog()), *part, "backbone.");
  weights::copy_weights(weights, *part, "backbone.");
  const auto tensors = part->named_parameters();
  CHECK(torch::equal(tensors["norm.weight"], formula_values("b1.1.weight", {32})));
  CHECK(torch::equal(tensors["blocks.11.mlp.fc1.bias"], formula_values("b1.0.mlp.fc1.bias", {128})));
  CHECK(
      torch::equal(tensors["blocks.10.mlp.fc1.bias"], formula_values("base.blocks.10.mlp.fc1.bias", {128})));
}

TEST_CASE("without a network, too, the block that TransReID's branches were copied from is of no use") {
  const auto weights = weights::translate(program_file("transreid"), weights::known_layouts(vit_catalog()));
  const auto& dropped = weights.dropped;
  for (const std::string name : {"base.blocks.11.norm1.weight", "base.norm.bias"}) {
    CHECK(std::find(dropped.begin(), dropped.end(), name) != dropped.end());
  }
  for (const auto& entry : weights.tensors) {
    if (entry.source == "b1.1.weight") CHECK(entry.name == "head.global_branch.norm.weight");
  }
}

TEST_CASE("a training starts embeddings of cameras from random numbers where a file has none or others") {
  const TemporaryFolder folder;
  Vit pretrained(narrow_params(64, 32), {});
  const auto part = pretrained.trunk("norm");
  file::TensorFile content;
  for (const auto& item : part->named_parameters()) {
    const auto name = item.key() == "tokens.class_token"   ? "cls_token"
                      : item.key() == "position.embedding" ? "pos_embed"
                                                           : item.key();
    content.tensors.emplace_back(name, item.value().detach().contiguous());
  }
  const auto timm = folder / "timm.safetensors";
  file::write_safetensors(timm, content);
  const auto plan_from = [](const std::string& start) {
    return tiny_plan(vit_catalog(), {"backbone={type='vit',dim=32,depth=2,heads=4,image_height=64,"
                                     "image_width=32,side_information='camera'}",
                                     "head={type='bnneck',pooling='class_token'}",
                                     "loss=[{type='entropy',on=['logits']}]", start});
  };
  const auto built = [](const recipe::Plan& plan, std::int64_t cameras, std::string& note) {
    model::Population population(5);
    for (std::int64_t camera = 1; camera <= cameras; ++camera) population.cameras.emplace_back(camera);
    std::vector<std::string> notes;
    auto model = weights::build_initial_model(plan, population, notes);
    REQUIRE(notes.size() == 1);
    note = notes.front();
    CHECK(model->named_parameters()["backbone.side.embedding"].size(0) == cameras);
    return model;
  };
  const std::string said =
      "\n  the file is not of these identities, cameras or views: backbone.side* starts from random numbers";
  const std::string weight = "blocks.1.mlp.fc1.weight";

  const auto first = plan_from("backbone.weights='" + timm.string() + "'");
  std::string note;
  const auto trained = built(first, 3, note);
  CHECK(note.find(said) != std::string::npos);
  CHECK(torch::equal(trained->named_parameters()["backbone." + weight], part->named_parameters()[weight]));
  CHECK(training::check_plan(first).find("timm.safetensors (matches)") != std::string::npos);

  const auto file = folder / "model.safetensors";
  model::write_model_file(file, *trained, first);
  const auto second = plan_from("weights.file='" + file.string() + "'");
  const auto same = built(second, 3, note);
  CHECK(note.find(said) == std::string::npos);
  CHECK(torch::equal(same->named_parameters()["backbone.side.embedding"],
                     trained->named_parameters()["backbone.side.embedding"]));
  static_cast<void>(built(second, 4, note));
  CHECK(note.find(said) != std::string::npos);
  CHECK(training::check_plan(second).find("model.safetensors (matches)") != std::string::npos);

  // As many, but not the same.
  {
    const torch::NoGradGuard no_grad;
    trained->named_parameters()["backbone.side.embedding"].fill_(7);
  }
  model::write_model_file(file, *trained, first);
  model::Population population(5);
  population.cameras = {1, 2, 4};
  std::vector<std::string> notes;
  const auto others = weights::build_initial_model(second, population, notes);
  CHECK(notes.at(0).find(said) != std::string::npos);
  CHECK(notes.at(0).find("left unchanged: backbone.side.embedding (of other cameras or views in the file)") !=
        std::string::npos);
  CHECK_FALSE(torch::equal(others->named_parameters()["backbone.side.embedding"],
                           trained->named_parameters()["backbone.side.embedding"]));
  CHECK(torch::equal(others->named_parameters()["backbone." + weight], part->named_parameters()[weight]));
  population.cameras = {{"market", 1}, {"market", 2}, {"market", 3}};
  static_cast<void>(weights::build_initial_model(second, population, notes));
  CHECK(notes.at(1).find(said) == std::string::npos);

  // A checkpoint knows its cameras, too.
  training::Checkpoint checkpoint;
  checkpoint.state = training::Trainer(first, trained, torch::kCPU).state();
  const auto begun = folder / "checkpoint.safetensors";
  training::write_checkpoint(begun, checkpoint);
  const auto third = plan_from("weights.file='" + begun.string() + "'");
  static_cast<void>(weights::build_initial_model(third, population, notes));
  CHECK(notes.at(2).find(said) == std::string::npos);
  population.cameras = {1, 2, 4};
  static_cast<void>(weights::build_initial_model(third, population, notes));
  CHECK(notes.at(3).find(said) != std::string::npos);
}

TEST_CASE("position embeddings of another grid are interpolated when a file is read, and named") {
  auto params = narrow_params(128, 48);
  Vit net(params, {});
  const auto part = net.trunk("norm");
  const auto weights = weights::translate_for(program_file("torchvision"),
                                              weights::known_layouts(vit_catalog()), *part, "backbone.");
  const auto report = weights::match_weights(weights, *part, "backbone.", {});
  CHECK(report.complete());
  CHECK(report.count(weights::TensorState::adapted) == 1);
  for (const auto& row : report.rows) {
    if (row.state == weights::TensorState::adapted) CHECK(row.name == "backbone.position.embedding");
  }
  weights::copy_weights(weights, *part, "backbone.");
  const auto source = formula_values("encoder.pos_embedding", {1, 17, 32});
  const auto map = source.narrow(1, 1, 16).reshape({1, 4, 4, 32}).permute({0, 3, 1, 2});
  const auto expected =
      resampled_grid(map, 8, 3, GridResampling::bicubic).permute({0, 2, 3, 1}).reshape({1, 24, 32});
  const auto embedding = part->named_parameters()["position.embedding"];
  CHECK(torch::equal(embedding.narrow(1, 1, 24), expected));
  CHECK(torch::equal(embedding.narrow(1, 0, 1), source.narrow(1, 0, 1)));
}

TEST_CASE("every rule of the layouts of vision transformers can be reached") {
  check_rules(Vit::weights_layouts());
  check_rules(transreid::Transreid::weights_layouts());
}
