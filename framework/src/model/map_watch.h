// Features of a model ahead of its head's pooling, without the help of its components.
#pragma once

#include <memory>
#include <vector>

#include "kindred/nn/activations.h"
#include "kindred/role/backbone.h"

namespace kindred::model {

/// Stands between a backbone and the head that is made of it, and keeps what the parts compute that the
/// head takes of the backbone. To be handed to build_model(); serves one model.
///
/// They are in the graph for gradients from themselves on: what computes them has none, so that gradients
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

  /// The last features of the network since the last call, maps or tokens: those of the head's copies of the
  /// backbone's rest, in the order in which they were computed, or, when it has none, those of the trunk.
  [[nodiscard]] std::vector<Activations> take();

 private:
  class Recorder;
  class WatchedBackbone;
  struct Maps {
    std::vector<Activations> trunk;
    std::vector<Activations> rests;
  };
  std::shared_ptr<Maps> maps_;
};

}  // namespace kindred::model
