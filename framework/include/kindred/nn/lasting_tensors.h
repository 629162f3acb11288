// Losses that learn something of use after the training.
#pragma once

#include <torch/types.h>

#include <string>
#include <utility>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

using NamedTensor = std::pair<std::string, torch::Tensor>;

/// A loss derives from it beside Loss when a training gives more than the model: what other trainings start
/// their losses from. It is written to losses.safetensors when the training has ended.
class KINDRED_API LastingTensors {
 public:
  virtual ~LastingTensors();
  LastingTensors(const LastingTensors&) = delete;
  LastingTensors& operator=(const LastingTensors&) = delete;

  /// By name; rows of identities are in the order of the training's classes.
  [[nodiscard]] virtual std::vector<NamedTensor> lasting_tensors() = 0;

 protected:
  LastingTensors() = default;
};

}  // namespace kindred
