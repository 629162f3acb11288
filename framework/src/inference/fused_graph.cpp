#include "inference/fused_graph.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>
#include <torch/csrc/jit/passes/remove_mutation.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inference/residual_end.h"

namespace kindred::inference {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

const auto relu = c10::Symbol::fromQualString("aten::relu");
const auto add = c10::Symbol::fromQualString("aten::add");
const auto multiply = c10::Symbol::fromQualString("aten::mul");
const auto pool = c10::Symbol::fromQualString("aten::adaptive_avg_pool2d");
const auto mean = c10::Symbol::fromQualString("aten::mean");
const auto convolution = c10::Symbol::fromQualString("aten::_convolution");
const auto packed_convolution = c10::Symbol::fromQualString("mkldnn_prepacked::conv2d_run");

bool is_used_once(const Value* value) {
  return value->uses().size() == 1;
}

/// The only use of a value, if it is the ReLU of it.
Node* relu_after(const Value* value) {
  if (!is_used_once(value)) return nullptr;
  auto* user = value->uses()[0].user;
  return user->kind() == relu ? user : nullptr;
}

/// Of the tensors of a graph, for one example.
class Sizes {
 public:
  /// Runs the graph, which changes none of its tensors, to know them: freezing forgets what a trace knew.
  Sizes(const std::shared_ptr<Graph>& graph, std::vector<c10::IValue> arguments) {
    const auto probe = graph->copy();
    const std::vector<Node*> nodes(graph->nodes().begin(), graph->nodes().end());
    const std::vector<Node*> copies(probe->nodes().begin(), probe->nodes().end());
    const auto results = probe->outputs().size();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i].isTensor()) sizes_[graph->inputs()[i]] = arguments[i].toTensor().sizes().vec();
    }
    std::vector<const Value*> measured;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (copies[i]->kind() == torch::jit::prim::Constant) continue;
      const torch::jit::WithInsertPoint here(copies[i]->next());
      for (std::size_t j = 0; j < copies[i]->outputs().size(); ++j) {
        auto* value = copies[i]->outputs()[j];
        if (value->type()->kind() != c10::TypeKind::TensorType) continue;
        probe->registerOutput(probe->insert(c10::Symbol::fromQualString("aten::size"), {value}));
        measured.push_back(nodes[i]->outputs()[j]);
      }
    }
    torch::jit::InterpreterState(torch::jit::Code(probe, "sizes")).run(arguments);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      sizes_[measured[i]] = arguments.at(results + i).toIntVector();
    }
  }

  /// Empty for what is no tensor, or a constant.
  [[nodiscard]] std::vector<std::int64_t> of(const Value* value) const {
    const auto found = sizes_.find(value);
    return found == sizes_.end() ? std::vector<std::int64_t>() : found->second;
  }
  /// @param taker stands in the graph where `value` was
  void hand_on(const Value* value, const Value* taker) { sizes_[taker] = of(value); }

 private:
  std::unordered_map<const Value*, std::vector<std::int64_t>> sizes_;
};

/// A convolution of maps whose tensors and numbers are all known.
struct Convolution {
  torch::Tensor weight;
  c10::IValue bias;  ///< a tensor or none
  std::vector<std::int64_t> stride;
  std::vector<std::int64_t> padding;
  std::vector<std::int64_t> dilation;
  std::int64_t groups;
  std::vector<std::int64_t> input_sizes;
};

std::optional<Convolution> convolution_of(const Node* node, const Sizes& sizes) {
  if (node->kind() != convolution) return std::nullopt;
  const auto input_sizes = sizes.of(node->input(0));
  if (input_sizes.size() != 4) return std::nullopt;
  // The packed convolution looks at the strides of a map for the order of its values, which these do not
  // tell, and gives what was in memory before where it takes the wrong one.
  const bool tells_order = input_sizes[1] > 1 && input_sizes[2] * input_sizes[3] > 1;
  if (!tells_order) return std::nullopt;
  std::vector<c10::IValue> values(9);
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto value = torch::jit::toIValue(node->input(i));
    if (!value) return std::nullopt;
    values[i] = *value;
  }
  const bool transposed = values[6].toBool();
  if (transposed || !values[1].isTensor() || values[1].toTensor().scalar_type() != torch::kFloat) {
    return std::nullopt;
  }
  return Convolution{values[1].toTensor(),
                     values[2],
                     values[3].toIntVector(),
                     values[4].toIntVector(),
                     values[5].toIntVector(),
                     values[8].toInt(),
                     input_sizes};
}

/// @param attribute what is done to the result: "none" or "relu"
c10::IValue packed(const Convolution& found, const std::string& attribute, torch::ScalarType type) {
  static const auto prepack =
      c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn_prepacked::conv2d_prepack", "");
  const auto weight = found.weight.detach().to(type).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto bias = found.bias.isTensor() ? c10::IValue(found.bias.toTensor().detach().to(type)) : found.bias;
  torch::jit::Stack stack{weight,         bias,         found.stride,      found.padding,
                          found.dilation, found.groups, found.input_sizes, attribute};
  prepack.callBoxed(&stack);
  return stack.at(0);
}

Value* converted(Graph& graph, Value* value, torch::ScalarType type) {
  return graph.insert(c10::Symbol::fromQualString("aten::to"),
                      {value, static_cast<std::int64_t>(type), false, false, c10::IValue()});
}

void pack_convolutions(FusedGraph& fused, Sizes& sizes, torch::ScalarType type) {
  auto& graph = *fused.graph;
  for (auto it = graph.nodes().begin(); it != graph.nodes().end();) {
    auto* node = *it++;
    const auto found = convolution_of(node, sizes);
    if (!found) continue;
    auto* after = relu_after(node->output());
    auto weights = packed(*found, after == nullptr ? "none" : "relu", type);
    auto* argument = graph.addInput()->setType(weights.type());
    fused.packed.push_back(std::move(weights));
    const torch::jit::WithInsertPoint here(node);
    auto* input = type == torch::kFloat ? node->input(0) : converted(graph, node->input(0), type);
    input = graph.insert(c10::Symbol::fromQualString("aten::contiguous"), {input},
                         {{"memory_format", static_cast<std::int64_t>(torch::MemoryFormat::ChannelsLast)}});
    auto* run = graph.insertNode(graph.create(packed_convolution, {input, argument}));
    auto* replaced = after == nullptr ? node : after;
    sizes.hand_on(replaced->output(), run->output());
    replaced->output()->replaceAllUsesWith(run->output());
    if (after != nullptr) {
      if (it != graph.nodes().end() && *it == after) ++it;
      after->destroy();
    }
    node->destroy();
  }
}

/// y or y * scale, and x, of relu(add(y, x)). The map y is a convolution's result that nothing needs
/// afterwards.
struct ResidualEnd {
  Value* map;
  Value* scale = nullptr;
  Value* other;
  Node* product = nullptr;  ///< y * scale
};

bool is_convolved(const Value* value) {
  return value->node()->kind() == packed_convolution;
}

/// Whether a map is used by its product alone, and before it by a mean over its pixels.
bool is_scaled_last(const Value* map, const Node* product) {
  for (const auto& use : map->uses()) {
    if (use.user == product) continue;
    const bool averages = use.user->kind() == pool || use.user->kind() == mean;
    if (!averages || !use.user->isBefore(product)) return false;
  }
  return true;
}

std::optional<ResidualEnd> residual_end_of(const Node* sum, const Sizes& sizes) {
  const auto alpha = torch::jit::toIValue(sum->input(2));
  if (!alpha || !alpha->isInt() || alpha->toInt() != 1) return std::nullopt;
  const auto wanted = sizes.of(sum->output());
  for (std::size_t i = 0; i < 2; ++i) {
    auto* end = sum->input(i);
    auto* other = sum->input(1 - i);
    if (end == other || !is_used_once(end) || sizes.of(other) != wanted || sizes.of(end) != wanted) continue;
    if (is_convolved(end)) return ResidualEnd{end, nullptr, other};
    auto* product = end->node();
    if (product->kind() != multiply) continue;
    auto* map = product->input(0);
    auto* scale = product->input(1);
    const bool fits = is_convolved(map) && is_scaled_last(map, product) && sizes.of(map) == wanted;
    if (fits && map != other && !sizes.of(scale).empty()) return ResidualEnd{map, scale, other, product};
  }
  return std::nullopt;
}

void fuse_residual_ends(FusedGraph& fused, Sizes& sizes) {
  auto& graph = *fused.graph;
  for (auto it = graph.nodes().begin(); it != graph.nodes().end();) {
    auto* node = *it++;
    if (node->kind() != add || node->inputs().size() != 3) continue;
    auto* after = relu_after(node->output());
    const auto end = after == nullptr ? std::nullopt : residual_end_of(node, sizes);
    if (!end) continue;
    const torch::jit::WithInsertPoint here(node);
    auto* joined =
        end->scale == nullptr
            ? graph.create(c10::Symbol::fromQualString("kindred::add_relu_"), {end->map, end->other})
            : graph.create(c10::Symbol::fromQualString("kindred::scale_add_relu_"),
                           {end->map, end->scale, end->other});
    graph.insertNode(joined);
    sizes.hand_on(after->output(), joined->output());
    after->output()->replaceAllUsesWith(joined->output());
    if (it != graph.nodes().end() && *it == after) ++it;
    after->destroy();
    node->destroy();
    if (end->product != nullptr) end->product->destroy();
    ++fused.fused_ends;
  }
}

/// Weights of matrix products in the type that autocast would convert them to in each pass, and those of the
/// convolutions that are left, which autocast does not know by this name.
void convert_products(Graph& graph, torch::ScalarType type) {
  if (type == torch::kFloat) return;
  const auto linear = c10::Symbol::fromQualString("aten::linear");
  for (auto* node : graph.nodes()) {
    if (node->kind() != linear && node->kind() != convolution) continue;
    const torch::jit::WithInsertPoint here(node);
    if (node->kind() == convolution) node->replaceInput(0, converted(graph, node->input(0), type));
    for (std::size_t i = 1; i < 3; ++i) {
      const auto value = torch::jit::toIValue(node->input(i));
      if (!value || !value->isTensor() || value->toTensor().scalar_type() != torch::kFloat) continue;
      node->replaceInput(i, graph.insertConstant(value->toTensor().detach().to(type)));
    }
  }
}

}  // namespace

FusedGraph fuse(const torch::jit::Module& traced, const std::vector<c10::IValue>& arguments,
                torch::ScalarType type) {
  register_residual_ends();
  FusedGraph fused;
  // Freezing folds batch norms, and additions of constants, into convolutions.
  fused.graph = torch::jit::freeze(traced).get_method("forward").graph()->copy();
  auto& graph = fused.graph;
  torch::jit::RemoveTensorMutation(graph);
  torch::jit::OptimizeFrozenGraph(graph);
  if (!graph->inputs().empty() && graph->inputs()[0]->type()->cast<c10::ClassType>()) {
    graph->eraseInput(0);  // the module, which a frozen graph does not read
  }
  Sizes sizes(graph, arguments);
  pack_convolutions(fused, sizes, type);
  fuse_residual_ends(fused, sizes);
  convert_products(*graph, type);
  torch::jit::EliminateDeadCode(graph);
  return fused;
}

}  // namespace kindred::inference
