// A model in evaluation mode as one fixed graph, for the extraction of features.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "kindred/nn/activations.h"
#include "model/model.h"
#include "system/precision.h"

namespace kindred::inference {

/// Describes as Model::describe() does, but from a graph that was traced of the model once and fused
/// (fused_graph.h), in runs of one size. For weights that change afterwards, a new one must be made.
///
/// What cannot be traced, or gives other descriptors as a graph than as a model, is computed by the model
/// itself, and so is everything on a GPU: why_not() says the reason. So are images of another size than the
/// example's, for which the graph is not: a trace has the rows and columns of its maps as constants.
class FrozenNetwork {
 public:
  /// @param model in evaluation mode; lives as long as this
  /// @param example the first images to come; the graph is traced of their mirror images and compared on
  ///                some of themselves. Under autocast where the computing is in 16 bits, as is describe().
  /// @param batch images that come at once; 0: as many as the example has
  FrozenNetwork(model::Model& model, const Activations& example, const system::Computing& computing,
                std::int64_t batch = 0);
  ~FrozenNetwork();
  FrozenNetwork(const FrozenNetwork&) = delete;
  FrozenNetwork& operator=(const FrozenNetwork&) = delete;

  /// Rows of length 1, 32-bit floats [N, D].
  /// @param images any number
  [[nodiscard]] torch::Tensor describe(const Activations& images);

  [[nodiscard]] bool is_graph() const { return graph_ != nullptr; }
  /// Why the model computes by itself; "" when the graph does, and on a GPU, for which there is none.
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

 private:
  struct Graph;

  [[nodiscard]] torch::Tensor run(const Activations& images) const;

  model::Model& model_;
  std::int64_t images_;  ///< of one run
  std::int64_t height_;  ///< of the images that the graph is for
  std::int64_t width_;
  std::unique_ptr<Graph> graph_;
  std::string why_not_;
};

}  // namespace kindred::inference
