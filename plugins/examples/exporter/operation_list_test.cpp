#include "operation_list.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/ir/irparser.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

using my_plugins::OperationList;

namespace {

kindred::ExportedModel small_model() {
  kindred::ExportedModel model;
  model.graph = std::make_shared<torch::jit::Graph>();
  torch::jit::parseIR(R"(graph(%images : Tensor):
  %dim : int = prim::Constant[value=1]()
  %bright : Tensor = aten::relu(%images)
  %rows : Tensor = aten::softmax(%bright, %dim, %dim)
  return (%rows))",
                      model.graph.get());
  for (auto* node : model.graph->nodes()) {
    node->setScope(model.graph->current_scope()->push(c10::Symbol::scope("head.neck")));
  }
  return model;
}

std::string written(const OperationList::Params& params) {
  std::string folder = (std::filesystem::temp_directory_path() / "operation-list-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const auto file = std::filesystem::path(folder) / "model.csv";
  OperationList(params, {}).write(small_model(), file);
  std::ifstream in(file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  std::filesystem::remove_all(folder);
  return text;
}

}  // namespace

TEST_CASE("operations are listed in order, with their modules") {
  CHECK(written({}) == "module,operation\nhead.neck,aten::relu\nhead.neck,aten::softmax\n");
}

TEST_CASE("constants are listed when they are asked for") {
  OperationList::Params params;
  params.constants = true;
  CHECK(written(params).find("head.neck,prim::Constant\n") != std::string::npos);
}

TEST_CASE("there is nothing to run") {
  CHECK_FALSE(OperationList({}, {}).run("model.csv", {}).why_not.empty());
}
