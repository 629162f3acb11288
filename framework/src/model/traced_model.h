// What a model does with a batch of images, as a TorchScript graph.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <vector>

#include "kindred/nn/activations.h"
#include "model/model.h"

namespace kindred::model {

/// Traces Model::describe() on an example. The result shares the model's tensors, by the same names, and has
/// one method, forward(images[, cameras][, views]) -> rows of length 1 [N, D], with the cameras and views
/// that the model uses. Sizes of the example are in the graph, that of the batch among them: it is for
/// batches of this size. The trace is of 32-bit floats; other precisions are a matter of who runs it.
///
/// What a graph cannot say is not in it: branches that depend on values are taken as the example took them.
/// So compare what it gives on images other than the example's. Throws what a component or LibTorch throws
/// when it cannot be traced.
/// @param model in evaluation mode
/// @param example on the model's device
/// @param flip_test forward() gives what describe() gives of each image and of its mirror image, added and
///                  brought to length 1
[[nodiscard]] torch::jit::Module trace_model(Model& model, const Activations& example,
                                             bool flip_test = false);

/// The arguments of such a forward().
[[nodiscard]] std::vector<c10::IValue> traced_arguments(const Model& model, const Activations& images);

}  // namespace kindred::model
