#include "torchscript_exporter.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/types.h>
#include <torch/version.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <fstream>
#include <memory>
#include <sstream>
#include <system_error>
#include <unordered_set>

#include "kindred/core/error.h"

namespace kindred::torchscript {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// Operations whose operands have to be of one type: what is computed in 16 bits.
const std::unordered_set<std::string>& products() {
  static const std::unordered_set<std::string> names = {"aten::_convolution",
                                                        "aten::conv2d",
                                                        "aten::conv1d",
                                                        "aten::linear",
                                                        "aten::addmm",
                                                        "aten::baddbmm",
                                                        "aten::matmul",
                                                        "aten::mm",
                                                        "aten::bmm",
                                                        "aten::einsum",
                                                        "aten::scaled_dot_product_attention"};
  return names;
}

/// Norms take weights of their input's type. In 16 bits they compute sums in 32, as LibTorch has them.
const std::unordered_set<std::string>& norms() {
  static const std::unordered_set<std::string> names = {"aten::layer_norm", "aten::group_norm",
                                                        "aten::instance_norm", "aten::batch_norm"};
  return names;
}

Value* converted(Graph& graph, Value* value, torch::ScalarType type) {
  return graph.insert(torch::jit::aten::to,
                      {value, static_cast<std::int64_t>(type), false, false, c10::IValue()});
}

bool is_float_constant(const Value* value) {
  const auto known = torch::jit::toIValue(value);
  return known && known->isTensor() && known->toTensor().defined() &&
         known->toTensor().scalar_type() == torch::kFloat;
}

/// Floats that an operation takes as 16 bits: constants are stored so, others converted on the way.
void narrow_operands(Graph& graph, Node* node) {
  const torch::jit::WithInsertPoint here(node);
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    auto* input = node->input(i);
    if (input->type()->kind() != c10::TypeKind::TensorType) continue;
    if (is_float_constant(input)) {
      node->replaceInput(i, graph.insertConstant(torch::jit::toIValue(input)->toTensor().to(torch::kHalf)));
    } else if (!torch::jit::toIValue(input)) {
      node->replaceInput(i, converted(graph, input, torch::kHalf));
    }
  }
}

/// Everything from the first product on in 16 bits; lengths of descriptors, and what the model itself
/// converts to 32, stay as they are.
void narrow(Graph& graph) {
  for (auto* node : graph.nodes()) {
    const std::string name = node->kind().toQualString();
    if (products().contains(name) && !node->scopeName().empty()) narrow_operands(graph, node);
    if (norms().contains(name)) narrow_operands(graph, node);
  }
  auto* output = graph.outputs()[0];
  const torch::jit::WithInsertPoint here(graph.return_node());
  graph.return_node()->replaceInput(0, converted(graph, output, torch::kFloat));
}

std::string about_text(const ExportedModel& model) {
  std::string text;
  for (const auto& [key, value] : model.about) text += key + ": " + value + "\n";
  return text;
}

std::string without_backtrace(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch == nullptr ? error.what() : of_torch->what_without_backtrace();
}

torch::jit::Module read_back(const std::filesystem::path& file) {
  try {
    return torch::jit::load(file.string(), torch::Device(torch::kCPU));
  } catch (const std::exception& error) {
    throw DataError(file, "cannot be read back: " + without_backtrace(error));
  }
}

}  // namespace

Schema<TorchScriptExporter::Params> TorchScriptExporter::schema() {
  return Schema<Params>(
      "TorchScript, for LibTorch and PyTorch of this version or a later one, without Kindred.");
}

TorchScriptExporter::TorchScriptExporter(const Params& /*params*/, const Context& /*context*/) {}

void TorchScriptExporter::write(const ExportedModel& model, const std::filesystem::path& file) const {
  auto graph = model.graph->copy();
  if (model.half) narrow(*graph);
  const auto unit = std::make_shared<torch::jit::CompilationUnit>();
  torch::jit::Module module(c10::QualifiedName("__torch__.kindred.Descriptor"), unit);
  module.register_attribute("training", c10::BoolType::get(), false);
  graph->insertInput(0, "self")->setType(module.type());
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    graph->inputs()[i + 1]->setDebugName(model.inputs[i].name);
  }
  auto* forward = unit->create_function(c10::QualifiedName(*module.type()->name(), "forward"), graph);
  module.type()->addMethod(forward);
  std::stringstream bytes;
  try {
    // LibTorch ends the process where it cannot write to a file.
    module.save(bytes, {{"about.txt", about_text(model)}});
  } catch (const c10::Error& error) {
    throw DataError(file, "cannot be written: " + without_backtrace(error));
  }
  errno = 0;
  std::ofstream out(file, std::ios::binary);
  out << bytes.rdbuf();
  out.close();
  if (!out) throw DataError(file, "cannot be written: " + std::generic_category().message(errno));
}

ExportRun TorchScriptExporter::run(const std::filesystem::path& file,
                                   const std::vector<std::vector<torch::Tensor>>& batches) const {
  const torch::NoGradGuard no_gradients;
  ExportRun run;
  run.runtime = std::string("LibTorch ") + TORCH_VERSION;
  auto module = read_back(file);
  try {
    for (const auto& batch : batches) {
      run.outputs.push_back(module.forward(std::vector<c10::IValue>(batch.begin(), batch.end())).toTensor());
    }
  } catch (const std::exception& error) {
    // Of operations that have no code for 16 bits on a CPU.
    if (std::string(error.what()).find("not implemented for 'Half'") != std::string::npos) {
      run.why_not = run.runtime + " does not compute this model in 16 bits on a CPU; compare it on a GPU";
      run.outputs.clear();
      return run;
    }
    throw ComponentError("exporter/torchscript",
                         "LibTorch does not run the file: " + without_backtrace(error));
  }
  return run;
}

}  // namespace kindred::torchscript
