#include "se_resnet.h"

namespace kindred::se_resnet {

namespace {

ResidualNetworkOptions options_of(const SeResnet::Params& params) {
  auto options =
      residual_options({params.depth, params.last_stride, params.width_multiplier, params.stem_pooling});
  options.stem = ResidualStem::layer0;
  options.stride_in_first = true;
  options.se_reduction = 16;
  return options;
}

}  // namespace

Schema<SeResnet::Params> SeResnet::schema() {
  Schema<Params> s("Residual network with squeeze and excitation.", "Hu et al., CVPR 2018");
  add_residual_parameters(s, {50, 101, 152});
  return s;
}

SeResnet::SeResnet(const Params& params, const Context&) : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::se_resnet
