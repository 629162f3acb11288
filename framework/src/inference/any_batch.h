// Graphs for any number of images.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace kindred::inference {

/// A graph that was traced with a batch of some size.
struct BatchGraph {
  std::shared_ptr<torch::jit::Graph> graph;
  std::int64_t images;
};

/// Makes the first of three graphs of one network, which were traced with batches of different sizes, one for
/// batches of any size. Each constant of theirs that follows the number of images does so as factor * images
/// + offset in whole numbers: that is worked out from two of the graphs, has to hold in the third, and
/// becomes a computation from the first size of `batch`. Throws Error that names the operation when a
/// constant follows in another way, or the graphs differ in more than constants.
/// @param batch the graphs' input of that number, where 0 is the module
void follow_batch(const std::array<BatchGraph, 3>& graphs, std::size_t batch);

/// Says of each operation of a traced graph which module it stands in, as its scope: that of the parameters
/// that it takes, or else the smallest that holds those before and after it. To be called before freezing.
void name_modules(torch::jit::Graph& graph);

/// For messages: "aten::cumsum in 'backbone.layer1'".
[[nodiscard]] std::string node_text(const torch::jit::Node& node);

}  // namespace kindred::inference
