// A model as a graph that other programs run.
#pragma once

#include <cstdint>
#include <opencv2/core/types.hpp>
#include <optional>

#include "inference/preparation.h"
#include "kindred/role/exporter.h"
#include "model/model.h"

namespace kindred::inference {

struct GraphOptions {
  cv::Size size;                             ///< of the images that the network takes
  std::optional<std::int64_t> batch{};       ///< absent: any number of images
  bool flip_test = false;                    ///< descriptors of images and mirror images together
  std::optional<Preparation> preparation{};  ///< becomes a part of the graph
};

/// Inputs "images" [N, 3, H, W], 32-bit floats, or with a preparation [N, h, w, 3], uint8, and "cameras" and
/// "views", [N], int64, of models that use them; the output is "output" [N, D], as Model::describe() gives
/// it. The weights are those of this moment. Throws Error that says why the model cannot be made a graph: it
/// computes otherwise for other images or another number of them.
/// @param model in evaluation mode, on the CPU
[[nodiscard]] ExportedModel export_graph(model::Model& model, const GraphOptions& options);

/// What the graph of a model is to give for prepared images: rows of length 1.
[[nodiscard]] torch::Tensor expected_rows(model::Model& model, const Activations& images, bool flip_test);

}  // namespace kindred::inference
