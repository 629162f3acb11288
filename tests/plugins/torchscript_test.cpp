#include <doctest/doctest.h>
#include <torch/csrc/api/include/torch/jit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <unordered_map>

#include "kindred/core/error.h"
#include "temporary_folder.h"
#include "torchscript_exporter.h"

namespace kindred::test {
namespace {

/// Rows of length 1 of images [N, 3, 4, 2].
ExportedModel small_model(const torch::Tensor& weight) {
  const auto unit = torch::jit::compile(R"(
def main(images, weight):
    rows = torch.relu(torch.linear(images.flatten(1), weight))
    return rows / torch.clamp_min(torch.norm(rows, 2, [1], True), 1e-12)
)");
  ExportedModel model;
  model.graph = torch::jit::toGraphFunction(unit->get_function("main")).graph()->copy();
  torch::jit::Inline(*model.graph);
  {
    const torch::jit::WithInsertPoint here(*model.graph->nodes().begin());
    model.graph->inputs()[1]->replaceAllUsesWith(model.graph->insertConstant(weight));
    model.graph->eraseInput(1);
  }
  for (auto* node : model.graph->nodes()) {
    node->setScope(model.graph->current_scope()->push(c10::Symbol::scope("head")));
  }
  model.inputs = {{"images", torch::kFloat, {{-1, "batch"}, {3, ""}, {4, ""}, {2, ""}}}};
  model.output = {"output", torch::kFloat, {{-1, "batch"}, {5, ""}}};
  model.about = {{"mean", "0.5, 0.5, 0.5"}, {"color_order", "RGB"}};
  return model;
}

}  // namespace

TEST_CASE("the file is a module with the graph as forward(), and tells of itself") {
  torch::manual_seed(1);
  const auto weight = torch::rand({5, 24});
  const TemporaryFolder folder;
  const torchscript::TorchScriptExporter exporter({}, {});
  exporter.write(small_model(weight), folder / "model.pt");
  std::unordered_map<std::string, std::string> extra = {{"about.txt", ""}};
  auto module = torch::jit::load((folder / "model.pt").string(), torch::Device(torch::kCPU), extra);
  CHECK(extra.at("about.txt") == "mean: 0.5, 0.5, 0.5\ncolor_order: RGB\n");
  const auto images = torch::rand({7, 3, 4, 2});
  const auto expected =
      torch::nn::functional::normalize(torch::relu(images.flatten(1).matmul(weight.t())),
                                       torch::nn::functional::NormalizeFuncOptions().dim(1));
  CHECK(torch::allclose(module.forward({images}).toTensor(), expected, 1e-5, 1e-6));
  const auto run = exporter.run(folder / "model.pt", {{images}, {images.narrow(0, 0, 1)}});
  CHECK(run.why_not.empty());
  CHECK(run.runtime.starts_with("LibTorch "));
  REQUIRE(run.outputs.size() == 2);
  CHECK(torch::allclose(run.outputs[0], expected, 1e-5, 1e-6));
  CHECK(run.outputs[1].size(0) == 1);
}

TEST_CASE("in 16 bits the weights are half as long") {
  torch::manual_seed(2);
  const auto weight = torch::rand({500, 24});
  auto model = small_model(weight);
  model.output.sizes[1].size = 500;
  const TemporaryFolder folder;
  const torchscript::TorchScriptExporter exporter({}, {});
  exporter.write(model, folder / "full.pt");
  model.half = true;
  exporter.write(model, folder / "half.pt");
  CHECK(std::filesystem::file_size(folder / "full.pt") - std::filesystem::file_size(folder / "half.pt") >
        20'000);
  const auto images = torch::rand({2, 3, 4, 2});
  const auto run = exporter.run(folder / "half.pt", {{images}});
  if (!run.why_not.empty()) {
    CHECK(run.why_not.find("16 bits") != std::string::npos);
    return;
  }
  const auto exact = exporter.run(folder / "full.pt", {{images}});
  CHECK(torch::allclose(run.outputs.at(0), exact.outputs.at(0), 1e-2, 1e-3));
}

TEST_CASE("a file that is no model is refused, and one that cannot be written is named") {
  const TemporaryFolder folder;
  const torchscript::TorchScriptExporter exporter({}, {});
  const auto broken = folder.write("broken.pt", "not a model");
  CHECK_THROWS_WITH_AS(static_cast<void>(exporter.run(broken, {})),
                       doctest::Contains("broken.pt: error: cannot be read back: "), DataError);
  CHECK_THROWS_AS(exporter.write(small_model(torch::rand({5, 24})), folder / "none/model.pt"), DataError);
}

}  // namespace kindred::test
