#include "se_resnext.h"

namespace kindred::se_resnext {

namespace {

ResidualNetworkOptions options_of(const SeResnext::Params& params) {
  auto options =
      residual_options({params.depth, params.last_stride, params.width_multiplier, params.stem_pooling});
  options.stem = ResidualStem::layer0;
  options.groups = 32;
  options.width_per_group = 4;
  options.se_reduction = 16;
  return options;
}

}  // namespace

Schema<SeResnext::Params> SeResnext::schema() {
  Schema<Params> s(
      "Residual network with convolutions in 32 groups (32x4d), whatever the width multiplier, and squeeze "
      "and excitation.",
      "Xie et al., CVPR 2017; Hu et al., CVPR 2018");
  add_residual_parameters(s, {50, 101});
  return s;
}

SeResnext::SeResnext(const Params& params, const Context& /*context*/)
    : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::se_resnext
