// SE-ResNeXt 32x4d: Xie et al., "Aggregated Residual Transformations for Deep Neural Networks", CVPR 2017,
// with squeeze and excitation (Hu et al., CVPR 2018), in the layout of the public weights
// se_resnext50_32x4d-a260b3a4.pth and its relative (Cadene's pretrained-models), less their "last_linear".
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/residual_component.h"

namespace kindred::se_resnext {

/// As SE-ResNet, but that a bottleneck's 3x3 convolution works in 32 groups and holds the stride.
class SeResnext final : public ResidualNetwork {
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

  SeResnext(const Params& params, const Context& context);
};

}  // namespace kindred::se_resnext
