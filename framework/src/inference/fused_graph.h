// A network's graph with fewer passes over memory, for processors.
#pragma once

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/types.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace kindred::inference {

/// The graph of a traced module with all tensors as constants. Batch norms after convolutions are part of
/// their weights. Convolutions of maps of more than one pixel are oneDNN's, with weights in the order in
/// which its kernels read them and with the ReLU after them. The end of a residual block, y + x or y * scale
/// + x and its ReLU, is one pass. What fits none of this stays as it was traced.
struct FusedGraph {
  std::shared_ptr<torch::jit::Graph> graph;  ///< takes the module's arguments and then `packed`
  std::vector<c10::IValue> packed;           ///< weights of convolutions
  std::size_t fused_ends = 0;                ///< of residual blocks
};

/// @param traced as model::trace_model() makes it, on the CPU
/// @param arguments of forward(), for an example
/// @param type what convolutions and matrix products compute in; with kBFloat16 it is to be run under
///             autocast, which converts what this leaves
[[nodiscard]] FusedGraph fuse(const torch::jit::Module& traced, const std::vector<c10::IValue>& arguments,
                              torch::ScalarType type);

}  // namespace kindred::inference
