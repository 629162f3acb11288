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
  Schema<Params> s("Residual network with the tensor names of torchvision.", "He et al., CVPR 2016");
  add_residual_parameters(s, {18, 34, 50, 101, 152});
  s.add("stem_pooling", &Params::stem_pooling,
        "first pooling, 3x3 with stride 2: 'padded' by 1, as in torchvision, or 'rounded_up' in size without "
        "padding, for weights of fast-reid",
        {{"padded", StemPooling::padded}, {"rounded_up", StemPooling::rounded_up}});
  s.add("stem_relu", &Params::stem_relu,
        "ReLU after the batch norm of the first convolution; false for weights of reid-strong-baseline, "
        "which has none");
  return s;
}

Resnet::Resnet(const Params& params, const Context&) : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::resnet
