#include "resnet.h"

namespace kindred::resnet {

namespace {

ResidualNetworkOptions options_of(const Resnet::Params& params) {
  auto options = residual_options({params.depth, params.last_stride, params.width_multiplier});
  options.stem_pooling = params.stem_pooling;
  options.stem_relu = params.stem_relu;
  return options;
}

}  // namespace

Schema<Resnet::Params> Resnet::schema() {
  Schema<Params> s("Residual network with torchvision's tensor names.", "He et al., CVPR 2016");
  add_residual_parameters(s, {18, 34, 50, 101, 152});
  s.add("stem_pooling", &Params::stem_pooling,
        "first pooling, 3x3 with stride 2: 'padded' by 1, as torchvision has it, or the size 'rounded_up' "
        "without padding, as fast-reid's weights want it",
        {{"padded", StemPooling::padded}, {"rounded_up", StemPooling::rounded_up}});
  s.add(
      "stem_relu", &Params::stem_relu,
      "ReLU behind the first convolution's batch norm; false for weights of reid-strong-baseline, which has "
      "none there");
  return s;
}

Resnet::Resnet(const Params& params, const Context&) : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::resnet
