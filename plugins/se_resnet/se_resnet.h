// SE-ResNet: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, with the layout of the public weights
// se_resnet50-ce0d4300.pth and its relatives (Cadene's pretrained-models), less their "last_linear": stride
// in a bottleneck's first convolution, first pooling without padding and rounded up.
#pragma once

#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/residual_component.h"

namespace kindred::se_resnet {

class SeResnet final : public ResidualNetwork {
 public:
  using Params = ResidualParameters;
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts() {
    return residual_weights_layouts(ResidualStem::layer0);
  }

  SeResnet(const Params& params, const Context& context);
};

}  // namespace kindred::se_resnet
