// The network's part of the extraction of features.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "inference/frozen_network.h"
#include "kindred/nn/activations.h"
#include "model/model.h"
#include "system/kept_memory.h"
#include "system/precision.h"

namespace kindred::inference {

/// How much there is to describe.
struct Workload {
  /// All images, about. For few of them a graph is not worth the seconds of its making.
  std::int64_t images = std::numeric_limits<std::int64_t>::max();
  std::int64_t batch = 0;  ///< images of a batch; 0: as many as the first one has
};

/// Describes one batch after another, each in the memory of the one before (system/kept_memory.h). For
/// weights that change after the first one, a new one must be made.
class BatchDescriber {
 public:
  /// @param model in evaluation mode and placed on the device; lives as long as this
  /// @param flip_test each descriptor is the sum of that of the image and that of its mirror image
  BatchDescriber(model::Model& model, bool flip_test, const system::Computing& computing,
                 const Workload& workload = {});

  /// Descriptors [N, D], 32-bit floats on the device, rows of length 1.
  /// @param images [N, 3, H, W] on the CPU, of one size, with what the model uses beside them
  ///               (model/population.h)
  [[nodiscard]] torch::Tensor describe(const Activations& images);

  /// After the first batch: FrozenNetwork::why_not(); "" where no graph was wanted.
  [[nodiscard]] std::string why_not_fused() const { return network_ ? network_->why_not() : ""; }

 private:
  [[nodiscard]] torch::Tensor rows_of(const Activations& placed);

  model::Model& model_;
  bool flip_test_;
  system::Computing computing_;
  Workload workload_;
  system::KeptMemory memory_;
  std::optional<FrozenNetwork> network_;
};

}  // namespace kindred::inference
