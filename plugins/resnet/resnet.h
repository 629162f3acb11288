// ResNet as torchvision has it: He et al., CVPR 2016, with the stride in a bottleneck's 3x3 convolution
// ("v1.5"), and its relatives: ResNeXt (Xie et al., CVPR 2017) and wide networks. Weights of torchvision's
// classification models fit, less their "fc".
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/residual_component.h"

namespace kindred::resnet {

class Resnet final : public ResidualNetwork {
 public:
  struct Params {
    std::int64_t depth = 50;
    std::int64_t last_stride = 1;
    double width_multiplier = 1.0;
    StemPooling stem_pooling = StemPooling::padded;
    bool stem_relu = true;
    bool non_local = false;
    std::int64_t groups = 1;
    std::int64_t width_per_group = 64;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts() {
    return residual_weights_layouts(ResidualStem::torchvision);
  }

  Resnet(const Params& params, const Context& context);
};

}  // namespace kindred::resnet
