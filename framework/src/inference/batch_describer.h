// The network's part of the extraction of features.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>

#include "inference/frozen_network.h"
#include "kindred/nn/activations.h"
#include "model/model.h"
#include "system/kept_memory.h"
#include "system/precision.h"

namespace kindred::inference {

/// Describes one batch after another, each in the memory of the one before (system/kept_memory.h), with the
/// weights that the model has at the first one.
class BatchDescriber {
 public:
  /// @param model in evaluation mode and placed on the device; lives as long as this
  /// @param flip_test each descriptor is the sum of that of the image and that of its mirror image
  BatchDescriber(model::Model& model, bool flip_test, const system::Computing& computing);

  /// Descriptors [N, D], 32-bit floats on the device, rows of length 1.
  /// @param images [N, 3, H, W] on the CPU, of one size, with what the model uses beside them
  ///               (model/population.h)
  [[nodiscard]] torch::Tensor describe(const Activations& images);

  /// After the first batch: FrozenNetwork::why_not().
  [[nodiscard]] const std::string& why_not_fused() const { return network_->why_not(); }

 private:
  model::Model& model_;
  bool flip_test_;
  system::Computing computing_;
  system::KeptMemory memory_;
  std::optional<FrozenNetwork> network_;
};

}  // namespace kindred::inference
