// SE-ResNet: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, with the layout of the public weights
// se_resnet50-ce0d4300.pth and its relatives (Cadene's pretrained-models), less their "last_linear": stride
// in a bottleneck's first convolution, first pooling without padding and rounded up.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/residual_component.h"

namespace kindred::se_resnet {

class SeResnet final : public ResidualNetwork {
 public:
  struct Params {
    std::int64_t depth = 50;
    std::int64_t last_stride = 1;
    double width_multiplier = 1.0;
    StemPooling stem_pooling = StemPooling::rounded_up;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts() {
    return residual_weights_layouts(ResidualStem::layer0);
  }

  SeResnet(const Params& params, const Context& context);
};

}  // namespace kindred::se_resnet
