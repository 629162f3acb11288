// A part of a network: what backbones give to heads.
#pragma once

#include <torch/nn/module.h>

#include "kindred/core/export.h"
#include "kindred/nn/activations.h"

namespace kindred {

/// Most parts need nothing but a tensor and are TensorModules (kindred/nn/tensor_module.h); this is for those
/// that make tokens of a map or use what is known of the images.
class KINDRED_API NetworkPart : public torch::nn::Module {
 public:
  using torch::nn::Module::Module;
  ~NetworkPart() override;
  /// What the result does not change it hands on: Activations::with().
  [[nodiscard]] virtual Activations propagate(const Activations& input) = 0;
};

}  // namespace kindred
