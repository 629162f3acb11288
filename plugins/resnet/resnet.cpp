#include "resnet.h"

#include <algorithm>
#include <array>
#include <string>

namespace kindred::resnet {

namespace {

constexpr std::array<std::int64_t, 5> depths = {18, 34, 50, 101, 152};

ResidualNetworkOptions options_of(const Resnet::Params& params) {
  ResidualNetworkOptions options;
  options.block = params.depth < 50 ? ResidualBlock::basic : ResidualBlock::bottleneck;
  options.stages = residual_stages(params.depth);
  options.last_stride = params.last_stride;
  options.width_multiplier = params.width_multiplier;
  options.stem_pooling = params.stem_pooling;
  options.stem_relu = params.stem_relu;
  return options;
}

}  // namespace

Schema<Resnet::Params> Resnet::schema() {
  Schema<Params> s("Residual network with the tensor names of torchvision.", "He et al., CVPR 2016");
  s.add("depth", &Params::depth, "layers: 18, 34, 50, 101 or 152");
  s.add("last_stride", &Params::last_stride,
        "stride of the last stage; 1 gives a feature map of twice the height and width; a head with branches "
        "may set its own stride")
      .range(1, 2);
  s.add("width_multiplier", &Params::width_multiplier,
        "multiplies the channels of all layers, rounded to a multiple of 8")
      .range(0.125, 8);
  s.add("stem_pooling", &Params::stem_pooling,
        "first pooling, 3x3 with stride 2: 'padded' by 1, as in torchvision, or 'rounded_up' in size without "
        "padding, for weights of fast-reid",
        {{"padded", StemPooling::padded}, {"rounded_up", StemPooling::rounded_up}});
  s.add("stem_relu", &Params::stem_relu,
        "ReLU after the batch norm of the first convolution; false for weights of reid-strong-baseline, "
        "which has none");
  s.rule([](const Params& p) -> std::string {
    return std::find(depths.begin(), depths.end(), p.depth) != depths.end()
               ? ""
               : "depth = " + std::to_string(p.depth) + " is not one of 18, 34, 50, 101 and 152";
  });
  return s;
}

Resnet::Resnet(const Params& params, const Context&) : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::resnet
