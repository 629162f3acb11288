// Feature maps of a model, without the help of its components.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include "kindred/role/backbone.h"

namespace kindred::model {

/// Stands between a backbone and the head that is made of it, and keeps the maps that what the head takes of
/// the backbone computes. To be handed to build_model(); serves one model.
///
/// The maps are in the graph for gradients from themselves on: what computes them has none, so that gradients
/// of the descriptor with respect to them cost no more than the head.
class MapWatch {
 public:
  MapWatch();
  ~MapWatch();
  MapWatch(const MapWatch&) = delete;
  MapWatch& operator=(const MapWatch&) = delete;

  /// A backbone that is the given one but for what is kept. Its modules have the same tensors by the same
  /// names. Both live as long as the construction of the head.
  [[nodiscard]] std::unique_ptr<Backbone> watched(Backbone& backbone);

  /// The last maps of the network since the last call, each [N, C, h, w]: those of the head's copies of the
  /// backbone's rest, in the order in which they were computed, or, when it has none, that of the trunk.
  [[nodiscard]] std::vector<torch::Tensor> take();

 private:
  class Recorder;
  class WatchedBackbone;
  struct Maps {
    std::vector<torch::Tensor> trunk;
    std::vector<torch::Tensor> rests;
  };
  std::shared_ptr<Maps> maps_;
};

}  // namespace kindred::model
