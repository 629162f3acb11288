#include "se_resnext.h"

#include <string>

namespace kindred::se_resnext {

namespace {

constexpr std::int64_t groups = 32;
constexpr std::int64_t width_per_group = 4;
constexpr std::int64_t reduction = 16;

ResidualNetworkOptions options_of(const SeResnext::Params& params) {
  ResidualNetworkOptions options;
  options.stem = ResidualStem::layer0;
  options.stages = residual_stages(params.depth);
  options.last_stride = params.last_stride;
  options.width_multiplier = params.width_multiplier;
  options.groups = groups;
  options.width_per_group = width_per_group;
  options.se_reduction = reduction;
  return options;
}

}  // namespace

Schema<SeResnext::Params> SeResnext::schema() {
  Schema<Params> s("Residual network with grouped convolutions (32x4d) and squeeze and excitation.",
                   "Xie et al., CVPR 2017; Hu et al., CVPR 2018");
  s.add("depth", &Params::depth, "layers: 50 or 101");
  s.add("last_stride", &Params::last_stride,
        "stride of the last stage; 1 gives a feature map of twice the height and width; a head with branches "
        "may set its own stride")
      .range(1, 2);
  s.add("width_multiplier", &Params::width_multiplier,
        "multiplies the channels of all stages, rounded to a multiple of 8; the number of groups does not "
        "change")
      .range(0.125, 8);
  s.rule([](const Params& p) -> std::string {
    return p.depth == 50 || p.depth == 101 ? ""
                                           : "depth = " + std::to_string(p.depth) + " is neither 50 nor 101";
  });
  return s;
}

SeResnext::SeResnext(const Params& params, const Context& /*context*/)
    : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::se_resnext
