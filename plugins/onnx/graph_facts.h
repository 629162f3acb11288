// What the values of a graph are for an example.
#pragma once

#include <torch/csrc/jit/ir/ir.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace kindred::onnx {

/// Sizes and types of the tensors of a graph, known by running it.
class GraphFacts {
 public:
  /// @param inputs of the graph, on the CPU
  GraphFacts(const std::shared_ptr<torch::jit::Graph>& graph, const std::vector<torch::Tensor>& inputs);

  struct Fact {
    std::vector<std::int64_t> sizes;
    torch::ScalarType type;
    [[nodiscard]] std::int64_t rank() const { return static_cast<std::int64_t>(sizes.size()); }
  };
  /// Throws std::logic_error for what is no tensor, or is in a list.
  [[nodiscard]] const Fact& of(const torch::jit::Value* value) const;

 private:
  std::unordered_map<const torch::jit::Value*, Fact> facts_;
};

}  // namespace kindred::onnx
