#include "inference/any_batch.h"

#include <ATen/core/symbol.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/scope.h>
#include <torch/types.h>

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kindred/core/error.h"

namespace kindred::inference {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// factor * images + offset
using Line = std::pair<std::int64_t, std::int64_t>;

std::vector<Node*> nodes_of(Graph& graph) {
  return {graph.nodes().begin(), graph.nodes().end()};
}

/// What takes a constant, seen through the lists that it is put into.
const Node& taker_of(const Node& constant) {
  const auto* node = &constant;
  while (node->outputs().size() == 1 && !node->output()->uses().empty()) {
    const auto* user = node->output()->uses()[0].user;
    if (user->kind() == torch::jit::prim::Return) break;
    node = user;
    if (node->kind() != torch::jit::prim::ListConstruct) break;
  }
  return *node;
}

[[noreturn]] void refuse(const Node& node, const std::string& how) {
  throw Error("error: " + node_text(taker_of(node)) + " depends on the number of images " + how +
              ", so the model cannot be exported for any number; export it for one, as in --batch 1");
}

bool are_equal(const c10::IValue& a, const c10::IValue& b) {
  if (a.tagKind() != b.tagKind()) return false;
  if (a.isTensor()) {
    const auto& x = a.toTensor();
    const auto& y = b.toTensor();
    if (!x.defined() || !y.defined()) return x.defined() == y.defined();
    return x.scalar_type() == y.scalar_type() && x.sizes() == y.sizes() && torch::equal(x, y);
  }
  return a == b;
}

/// Nothing when the three are equal.
std::optional<Line> line_through(const std::array<std::int64_t, 3>& values,
                                 const std::array<BatchGraph, 3>& graphs, const Node& node) {
  if (values[0] == values[1] && values[1] == values[2]) return std::nullopt;
  const auto steps = graphs[1].images - graphs[0].images;
  const auto rise = values[1] - values[0];
  const auto factor = rise / steps;
  const auto offset = values[0] - factor * graphs[0].images;
  if (factor * steps != rise || factor * graphs[2].images + offset != values[2]) {
    refuse(node, "in a way that is not a multiple of it");
  }
  return Line{factor, offset};
}

/// The numbers that follow the number of images, each computed once, at the beginning of the graph.
class Followers {
 public:
  Followers(Graph& graph, Value* batch) : graph_(graph), batch_(batch) {}

  Value* value(const Line& line) {
    auto& known = values_[line];
    if (known != nullptr) return known;
    if (images_ == nullptr) {
      last_ = *graph_.nodes().begin();
      const torch::jit::WithInsertPoint here(last_);
      images_ = graph_.insert(torch::jit::aten::size, {batch_, 0});
    }
    const torch::jit::WithInsertPoint here(last_);
    known = images_;
    if (line.first != 1) known = graph_.insert(torch::jit::aten::mul, {known, line.first});
    if (line.second != 0) known = graph_.insert(torch::jit::aten::add, {known, line.second});
    return known;
  }

 private:
  Graph& graph_;
  Value* batch_;
  Value* images_ = nullptr;
  Node* last_ = nullptr;  ///< all of them stand before it
  std::map<Line, Value*> values_;
};

std::string without_last_part(const std::string& path) {
  const auto dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string common_module(const std::string& a, const std::string& b) {
  auto common = a;
  while (!common.empty() && b != common && !b.starts_with(common + ".")) common = without_last_part(common);
  return common;
}

}  // namespace

std::string node_text(const Node& node) {
  const auto scope = node.scopeName();
  return std::string("the operation ") + node.kind().toQualString() +
         (scope.empty() ? "" : " in '" + scope + "'");
}

void follow_batch(const std::array<BatchGraph, 3>& graphs, std::size_t batch) {
  auto& graph = *graphs[0].graph;
  const auto first = nodes_of(graph);
  const auto second = nodes_of(*graphs[1].graph);
  const auto third = nodes_of(*graphs[2].graph);
  Followers followers(graph, graph.inputs()[batch]);
  if (first.size() != second.size() || first.size() != third.size()) {
    throw Error(
        "error: the network computes in another way for another number of images, so the model cannot be "
        "exported for any number; export it for one, as in --batch 1");
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    auto* node = first[i];
    if (node->kind() != second[i]->kind() || node->kind() != third[i]->kind() ||
        node->inputs().size() != second[i]->inputs().size() ||
        node->inputs().size() != third[i]->inputs().size()) {
      refuse(*node, "in which operations there are");
    }
    if (node->kind() != torch::jit::prim::Constant) continue;
    const std::array<c10::IValue, 3> values = {
        torch::jit::toIValue(node->output()).value_or(c10::IValue()),
        torch::jit::toIValue(second[i]->output()).value_or(c10::IValue()),
        torch::jit::toIValue(third[i]->output()).value_or(c10::IValue())};
    if (are_equal(values[0], values[1]) && are_equal(values[0], values[2])) continue;
    if (!values[0].isInt() || !values[1].isInt() || !values[2].isInt())
      refuse(*node, "by more than whole numbers");
    const auto line = line_through({values[0].toInt(), values[1].toInt(), values[2].toInt()}, graphs, *node);
    if (line) node->output()->replaceAllUsesWith(followers.value(*line));
  }
}

void name_modules(Graph& graph) {
  std::unordered_map<const Value*, std::string> path;  // of modules and parameters
  std::vector<std::pair<Node*, std::string>> nodes;    // with the module of the parameters that they take
  for (auto* node : graph.nodes()) {
    if (node->kind() == torch::jit::prim::GetAttr) {
      const auto owner = path.find(node->input());
      const auto name = node->s(torch::jit::attr::name);
      path[node->output()] = owner == path.end() || owner->second.empty() ? name : owner->second + "." + name;
      continue;
    }
    if (node->kind() == torch::jit::prim::Constant) continue;
    std::string module;
    for (const auto* input : node->inputs()) {
      if (const auto found = path.find(input); found != path.end()) module = without_last_part(found->second);
    }
    nodes.emplace_back(node, module);
  }
  std::vector<std::string> before(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    before[i] = !nodes[i].second.empty() ? nodes[i].second : i > 0 ? before[i - 1] : "";
  }
  std::string after;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (!nodes[i].second.empty()) after = nodes[i].second;
    auto module = nodes[i].second;
    if (module.empty()) {
      // At the ends there is one neighbor alone, and between backbone and head nothing that holds both.
      module = before[i].empty() ? after : after.empty() ? before[i] : common_module(before[i], after);
      if (module.empty()) module = before[i];
    }
    if (module.empty()) continue;
    nodes[i].first->setScope(graph.current_scope()->getRoot()->push(c10::Symbol::scope(module)));
  }
}

}  // namespace kindred::inference
