// A part of a network that maps one tensor to another.
#pragma once

#include <torch/types.h>

#include "kindred/core/export.h"
#include "kindred/nn/network_part.h"

namespace kindred {

class KINDRED_API TensorModule : public NetworkPart {
 public:
  using NetworkPart::NetworkPart;
  ~TensorModule() override;
  virtual torch::Tensor forward(const torch::Tensor& input) = 0;

  /// forward() of the values; all else stays as it is.
  [[nodiscard]] Activations propagate(const Activations& input) final;
};

}  // namespace kindred
