#include "inference/exported_graph.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>
#include <torch/csrc/jit/passes/remove_mutation.h>
#include <torch/csrc/jit/passes/shape_analysis.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/nn/functional/normalization.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "inference/any_batch.h"
#include "kindred/core/error.h"
#include "kindred/nn/activations.h"
#include "model/traced_model.h"
#include "system/out_of_memory.h"

namespace kindred::inference {
namespace {

using torch::jit::Graph;

/// Of traces. One image is a case of its own in many an operation.
constexpr std::array<std::int64_t, 3> traced_batches = {2, 3, 5};

/// Not the numbers of any images.
Activations example_batch(const model::Model& model, std::int64_t images, cv::Size size) {
  Activations batch(torch::randn({images, 3, size.height, size.width}));
  const auto some = [&](std::size_t of) {
    return torch::arange(images) % std::max<std::int64_t>(1, static_cast<std::int64_t>(of));
  };
  if (model.side_information().cameras) batch.cameras = some(model.population().cameras.size());
  if (model.side_information().views) batch.views = some(model.population().views.size());
  return batch;
}

/// Constants for parameters, batch norms in convolutions; inputs are tensors alone.
std::shared_ptr<Graph> frozen(const torch::jit::Module& traced) {
  auto graph = torch::jit::freeze(traced).get_method("forward").graph()->copy();
  torch::jit::RemoveTensorMutation(graph);
  torch::jit::OptimizeFrozenGraph(graph);
  torch::jit::EliminateDeadCode(graph);
  if (!graph->inputs().empty() && graph->inputs()[0]->type()->cast<c10::ClassType>()) graph->eraseInput(0);
  return graph;
}

std::shared_ptr<Graph> network_graph(model::Model& model, const GraphOptions& options) {
  const auto traced = [&](std::int64_t images) {
    auto module = model::trace_model(model, example_batch(model, images, options.size), options.flip_test);
    const auto graph = module.get_method("forward").graph();
    name_modules(*graph);
    // What a trace knows of sizes would become constants.
    torch::jit::EraseShapeInformation(graph);
    return module;
  };
  if (options.batch) return frozen(traced(*options.batch));
  const auto module = traced(traced_batches[0]);
  std::array<BatchGraph, 3> graphs;
  graphs[0] = {module.get_method("forward").graph(), traced_batches[0]};
  for (std::size_t i = 1; i < graphs.size(); ++i) {
    // Its constants are in the graph, and are compared; what the parameters are it need not know.
    graphs[i] = {traced(traced_batches[i]).get_method("forward").graph(), traced_batches[i]};
  }
  follow_batch(graphs, 1);
  return frozen(module);
}

torch::Tensor run_graph(const std::shared_ptr<Graph>& graph, std::vector<c10::IValue> arguments) {
  torch::jit::InterpreterState(torch::jit::Code(graph, "forward")).run(arguments);
  return arguments.at(0).toTensor();
}

/// A trace follows the branches of its example.
void require_same_rows(model::Model& model, const std::shared_ptr<Graph>& graph,
                       const GraphOptions& options) {
  constexpr double tolerance = 1e-4;
  for (const auto images :
       options.batch ? std::vector<std::int64_t>{*options.batch} : std::vector<std::int64_t>{1, 4}) {
    const auto batch = example_batch(model, images, options.size);
    const auto expected = expected_rows(model, batch, options.flip_test);
    const auto rows = run_graph(graph, model::traced_arguments(model, batch));
    const bool comparable = expected.isfinite().all().item<bool>();
    if (!comparable) {
      throw Error("error: the descriptors of the model are not finite: its weights are broken");
    }
    if (rows.sizes() == expected.sizes() && (rows - expected).abs().max().item<double>() <= tolerance)
      continue;
    throw Error("error: what the network computes depends on the values of the images, or on their number (" +
                std::to_string(images) +
                "), in a way that a fixed graph does not follow, so the model cannot be exported" +
                (options.batch ? "" : " for any number; try one, as in --batch 1"));
  }
}

/// The preparation ahead of the network.
std::shared_ptr<Graph> with_preparation(const std::shared_ptr<Graph>& network,
                                        const Preparation& preparation) {
  auto graph = preparation_graph(preparation);
  auto* prepared = graph->outputs()[0];
  graph->eraseOutput(0);
  std::vector<torch::jit::Value*> inputs{prepared};
  for (std::size_t i = 1; i < network->inputs().size(); ++i) {
    inputs.push_back(graph->addInput()->setType(network->inputs()[i]->type()));
  }
  for (auto* output : torch::jit::insertGraph(*graph, *network, inputs)) graph->registerOutput(output);
  torch::jit::EliminateDeadCode(graph);
  return graph;
}

ExportedTensor::Size any_size(const std::string& name) {
  return {-1, name};
}

}  // namespace

torch::Tensor expected_rows(model::Model& model, const Activations& images, bool flip_test) {
  const auto rows = model.describe(images);
  if (!flip_test) return rows;
  return torch::nn::functional::normalize(rows + model.describe(images.with(images.values.flip({3}))),
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

ExportedModel export_graph(model::Model& model, const GraphOptions& options) {
  const torch::NoGradGuard no_gradients;
  ExportedModel exported;
  try {
    exported.graph = network_graph(model, options);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (system::is_out_of_memory(error)) throw;
    throw Error(std::string("error: the network cannot be traced: ") + error.what());
  }
  require_same_rows(model, exported.graph, options);
  const auto count = options.batch ? ExportedTensor::Size{*options.batch} : any_size("batch");
  const auto example = example_batch(model, options.batch.value_or(traced_batches[0]), options.size);
  ExportedTensor images{"images", torch::kFloat, {count, {3}, {options.size.height}, {options.size.width}}};
  exported.example.push_back(example.values);
  if (options.preparation) {
    exported.graph = with_preparation(exported.graph, *options.preparation);
    images = {"images", torch::kByte, {count, any_size("height"), any_size("width"), {3}}};
    exported.example[0] =
        torch::randint(256, {example.values.size(0), options.size.height + 11, options.size.width + 5, 3})
            .to(torch::kByte);
  }
  exported.inputs.push_back(std::move(images));
  for (const auto& [name, used] :
       {std::pair("cameras", example.cameras), std::pair("views", example.views)}) {
    if (!used.defined()) continue;
    exported.inputs.push_back({name, torch::kLong, {count}});
    exported.example.push_back(used);
  }
  exported.output = {"output", torch::kFloat, {count, {model.outputs().back().dim}}};
  return exported;
}

}  // namespace kindred::inference
