#include "inference/exported_graph.h"

#include <doctest/doctest.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/torch.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "called_model.h"
#include "kindred/core/error.h"
#include "kindred/role/backbone.h"
#include "kindred/role/exporter.h"
#include "kindred/role/head.h"
#include "model/model.h"
#include "model/traced_model.h"
#include "one_thread.h"
#include "plugin/plugin_loader.h"
#include "recipe/component_choice.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "small_networks.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
using namespace kindred::inference;  // NOLINT
namespace {

const cv::Size small_size(48, 96);

const plugin::LoadedPlugins& shipped_plugins() {
  static const auto plugins =
      plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  return plugins;
}

Activations images_of(const model::Model& model, std::int64_t images, cv::Size size = small_size) {
  Activations batch(torch::randn({images, 3, size.height, size.width}));
  if (model.side_information().cameras) batch.cameras = torch::arange(images) % 3 - 1;  // -1: unknown
  if (model.side_information().views) batch.views = torch::arange(images) % 2;
  return batch;
}

torch::Tensor run_exported(const ExportedModel& exported, std::vector<c10::IValue> arguments) {
  torch::jit::InterpreterState(torch::jit::Code(exported.graph, "forward")).run(arguments);
  return arguments.at(0).toTensor();
}

std::shared_ptr<model::Model> small_model(const ComponentInfo& backbone, const ComponentInfo& head) {
  const bool cameras = backbone.name.ends_with("vit");
  const auto plan = small_plan(shipped_plugins().catalog, backbone, head,
                               cameras ? ", side_information='camera_view', unknown_camera='none'" : "");
  if (!plan) return nullptr;
  auto model = model::build_model(*plan, model::any_population(4));
  make_trained(*model);
  model->eval();
  return model;
}

template <class Call>
std::string refusal(Call call, std::optional<std::int64_t> batch = std::nullopt) {
  const auto model = called_model(call);
  return message_of<Error>([&] {
    static_cast<void>(export_graph(*model, {.size = {10, 12}, .batch = batch}));
  });
}

}  // namespace

TEST_CASE("every backbone under every head becomes a graph for any number of images") {
  const OneThread one_thread;
  torch::manual_seed(1);
  const auto& catalog = shipped_plugins().catalog;
  std::int64_t seen = 0;
  for (const auto* backbone : catalog.components(Backbone::role_name)) {
    for (const auto* head : catalog.components(Head::role_name)) {
      CAPTURE(backbone->info().name);
      CAPTURE(head->info().name);
      const auto model = small_model(backbone->info(), head->info());
      if (model == nullptr) continue;
      const auto exported = export_graph(*model, {.size = small_size});
      const auto batch = images_of(*model, 7);
      const auto expected = model->describe(batch);
      const auto rows = run_exported(exported, model::traced_arguments(*model, batch));
      REQUIRE(rows.sizes() == expected.sizes());
      CHECK((rows - expected).abs().max().item<float>() < 1e-5F);
      for (const auto* node : exported.graph->nodes()) {
        if (backbone->info().name == "resnet" && node->kind() == torch::jit::aten::batch_norm) {
          // Those of maps are in the convolutions.
          CHECK(node->scopeName().find("head") != std::string::npos);
        }
      }
      ++seen;
    }
  }
  CHECK(seen >= 30);
}

TEST_CASE("ONNX Runtime gives the descriptors of every shipped backbone and head") {
  const OneThread one_thread;
  torch::manual_seed(2);
  const auto& catalog = shipped_plugins().catalog;
  const auto* factory = catalog.find<Exporter>("onnx");
  if (factory == nullptr) {
    MESSAGE("left out: Kindred was built without the plugin onnx");
    return;
  }
  Diagnostics diagnostics;
  const auto params = factory->parse(Value(Table()), diagnostics, {});
  const char* python = std::getenv("KINDRED_PYTHON");
  const auto exporter = factory->create(params.get(), {python == nullptr ? "python3" : python});
  const TemporaryFolder folder;
  std::set<std::string> heads;
  const auto all_heads = catalog.components(Head::role_name);
  std::size_t turn = 0;
  for (const auto* backbone : catalog.components(Backbone::role_name)) {
    // One head for each backbone, another one each time; those that none had yet go first, as some are for
    // few backbones.
    std::shared_ptr<model::Model> model;
    std::string name;
    for (const bool had : {false, true}) {
      for (std::size_t i = 0; i < all_heads.size() && model == nullptr; ++i) {
        const auto& head = all_heads[(turn + i) % all_heads.size()]->info();
        if (heads.contains(head.name) != had) continue;
        model = small_model(backbone->info(), head);
        name = head.name;
      }
    }
    ++turn;
    REQUIRE(model != nullptr);
    heads.insert(name);
    CAPTURE(backbone->info().name);
    CAPTURE(name);
    const auto file = folder / (backbone->info().name + ".onnx");
    const auto exported = export_graph(*model, {.size = small_size});
    exporter->write(exported, file);
    std::vector<std::vector<torch::Tensor>> batches;
    std::vector<torch::Tensor> expected;
    for (const auto images : {1, 4}) {
      const auto batch = images_of(*model, images);
      expected.push_back(model->describe(batch));
      auto& inputs = batches.emplace_back();
      for (const auto& argument : model::traced_arguments(*model, batch))
        inputs.push_back(argument.toTensor());
    }
    const auto run = exporter->run(file, batches);
    if (!run.why_not.empty()) {
      MESSAGE("not compared: " << run.why_not);
      continue;
    }
    for (std::size_t i = 0; i < batches.size(); ++i) {
      REQUIRE(run.outputs[i].sizes() == expected[i].sizes());
      CHECK((run.outputs[i] - expected[i]).abs().max().item<float>() < 1e-4F);
    }
    std::filesystem::remove(file);
  }
  CHECK(heads.size() == all_heads.size());
}

TEST_CASE("with the flip test the graph adds the mirror image's descriptor") {
  torch::manual_seed(3);
  const auto& catalog = shipped_plugins().catalog;
  const auto model = small_model(catalog.find(Backbone::role_name, "resnet")->info(),
                                 catalog.find(Head::role_name, "bnneck")->info());
  const auto exported = export_graph(*model, {.size = small_size, .flip_test = true});
  const auto batch = images_of(*model, 3);
  const auto both = model->describe(batch) + model->describe(batch.with(batch.values.flip({3})));
  const auto expected = both / both.norm(2, {1}, true);
  CHECK(torch::allclose(run_exported(exported, {batch.values}), expected, 1e-4, 1e-5));
}

TEST_CASE("a fixed number of images is in the graph and in the sizes") {
  torch::manual_seed(4);
  const auto model = called_model([](const torch::Tensor& map) { return map.relu(); });
  const auto exported = export_graph(*model, {.size = {10, 12}, .batch = 4});
  CHECK(exported.inputs.at(0).sizes.at(0).size == 4);
  CHECK(exported.output.sizes.at(0).size == 4);
  CHECK(exported.output.sizes.at(1).size == 4);
  for (const auto* node : exported.graph->nodes()) CHECK(node->kind() != torch::jit::aten::size);
  const auto any = export_graph(*model, {.size = {10, 12}});
  CHECK(any.inputs.at(0).sizes.at(0).size == -1);
  CHECK(any.inputs.at(0).sizes.at(0).name == "batch");
}

TEST_CASE("operations know their modules") {
  torch::manual_seed(5);
  const auto& catalog = shipped_plugins().catalog;
  const auto model = small_model(catalog.find(Backbone::role_name, "resnet")->info(),
                                 catalog.find(Head::role_name, "bnneck")->info());
  const auto exported = export_graph(*model, {.size = small_size});
  std::map<std::string, std::int64_t> scopes;
  for (const auto* node : exported.graph->nodes()) {
    if (node->kind() == torch::jit::aten::_convolution) ++scopes[node->scopeName()];
  }
  CHECK(scopes["backbone.conv1"] == 1);
  CHECK(scopes["backbone.layer2.0.conv2"] == 1);
}

TEST_CASE("a network whose computation depends on values or on the number of images is refused") {
  torch::manual_seed(6);
  const auto of_values = refusal([](const torch::Tensor& map) {
    return map.mean().item<float>() > 0 ? map.relu() : map.neg().relu() + map.square();
  });
  const bool fits =
      of_values.empty() || of_values.find("depends on the values of the images") != std::string::npos;
  CHECK_MESSAGE(fits, of_values);
  const auto squares =
      refusal([](const torch::Tensor& map) { return map + torch::ones({map.size(0) * map.size(0)}).mean(); });
  CHECK(squares.find("in a way that is not a multiple of it") != std::string::npos);
  CHECK(squares.find("aten::ones in 'backbone") != std::string::npos);
  CHECK(squares.find("--batch 1") != std::string::npos);
  const auto scaled = refusal(
      [](const torch::Tensor& map) { return map.relu() * (1.0 + 0.1 / static_cast<double>(map.size(0))); });
  CHECK(scaled.find("by more than whole numbers") != std::string::npos);
  const auto branches =
      refusal([](const torch::Tensor& map) { return map.size(0) > 2 ? map.relu().relu() : map.relu(); });
  CHECK(branches.find("in another way for another number of images") != std::string::npos);
  CHECK(refusal([](const torch::Tensor& map) { return map.size(0) > 2 ? map.relu().relu() : map.relu(); }, 3)
            .empty());
}

}  // namespace kindred::test
