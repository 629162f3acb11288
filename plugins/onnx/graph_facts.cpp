#include "graph_facts.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <cstddef>
#include <stdexcept>

namespace kindred::onnx {

using torch::jit::Node;
using torch::jit::Value;

GraphFacts::GraphFacts(const std::shared_ptr<torch::jit::Graph>& graph,
                       const std::vector<torch::Tensor>& inputs) {
  const torch::NoGradGuard no_gradients;
  const auto probe = graph->copy();
  const std::vector<Node*> nodes(graph->nodes().begin(), graph->nodes().end());
  const std::vector<Node*> copies(probe->nodes().begin(), probe->nodes().end());
  torch::jit::Stack stack;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    facts_[graph->inputs()[i]] = {inputs[i].sizes().vec(), inputs[i].scalar_type()};
    stack.emplace_back(inputs[i]);
  }
  const auto results = probe->outputs().size();
  std::vector<const Value*> measured;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (std::size_t j = 0; j < nodes[i]->outputs().size(); ++j) {
      auto* value = nodes[i]->outputs()[j];
      if (value->type()->kind() != c10::TypeKind::TensorType) continue;
      if (copies[i]->kind() == torch::jit::prim::Constant) {
        const auto tensor = torch::jit::toIValue(value)->toTensor();
        if (tensor.defined()) facts_[value] = {tensor.sizes().vec(), tensor.scalar_type()};
        continue;
      }
      const torch::jit::WithInsertPoint here(copies[i]->next());
      auto* copy = copies[i]->outputs()[j];
      probe->registerOutput(probe->insert(torch::jit::aten::size, {copy}));
      probe->registerOutput(probe->insert(torch::jit::prim::dtype, {copy}));
      measured.push_back(value);
    }
  }
  torch::jit::InterpreterState(torch::jit::Code(probe, "facts")).run(stack);
  for (std::size_t i = 0; i < measured.size(); ++i) {
    facts_[measured[i]] = {stack.at(results + 2 * i).toIntVector(),
                           static_cast<torch::ScalarType>(stack.at(results + 2 * i + 1).toInt())};
  }
}

const GraphFacts::Fact& GraphFacts::of(const Value* value) const {
  const auto found = facts_.find(value);
  if (found == facts_.end()) throw std::logic_error("nothing is known of %" + value->debugName());
  return found->second;
}

}  // namespace kindred::onnx
