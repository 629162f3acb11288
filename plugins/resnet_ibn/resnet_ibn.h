// ResNet-IBN-a: Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net", ECCV
// 2018, figure 3 (a). The public weights of IBN-Net fit (resnet50_ibn_a-d9d0bb7b.pth and its relatives), less
// their "fc".
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/nn/residual_component.h"

namespace kindred::resnet_ibn {

/// A ResNet, stride in a bottleneck's 3x3 convolution, whose first normalization of each block in the first
/// three stages treats half of the channels by themselves for each image: "bn1.IN", instance normalization
/// with learned scale and shift, and "bn1.BN" for the other half. The last stage is a ResNet's.
class ResnetIbn final : public ResidualNetwork {
 public:
  struct Params {
    std::int64_t depth = 50;
    std::int64_t last_stride = 1;
    double width_multiplier = 1.0;
    StemPooling stem_pooling = StemPooling::padded;
    bool non_local = false;
  };
  static Schema<Params> schema();
  static std::vector<WeightsLayout> weights_layouts() {
    return residual_weights_layouts(ResidualStem::torchvision, ResidualNorm::instance_batch);
  }

  ResnetIbn(const Params& params, const Context& context);
};

}  // namespace kindred::resnet_ibn
