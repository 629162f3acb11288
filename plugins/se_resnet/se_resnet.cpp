#include "se_resnet.h"

#include <string>

namespace kindred::se_resnet {

namespace {

constexpr std::int64_t reduction = 16;

ResidualNetworkOptions options_of(const SeResnet::Params& params) {
  ResidualNetworkOptions options;
  options.stem = ResidualStem::layer0;
  options.stages = residual_stages(params.depth);
  options.last_stride = params.last_stride;
  options.width_multiplier = params.width_multiplier;
  options.stride_in_first = true;
  options.se_reduction = reduction;
  return options;
}

}  // namespace

Schema<SeResnet::Params> SeResnet::schema() {
  Schema<Params> s("Residual network with squeeze and excitation.", "Hu et al., CVPR 2018");
  s.add("depth", &Params::depth, "layers: 50, 101 or 152");
  s.add("last_stride", &Params::last_stride,
        "stride of the last stage; 1 gives a feature map of twice the height and width; a head with branches "
        "may set its own stride")
      .range(1, 2);
  s.add("width_multiplier", &Params::width_multiplier,
        "multiplies the channels of all layers, rounded to a multiple of 8")
      .range(0.125, 8);
  s.rule([](const Params& p) -> std::string {
    return p.depth == 50 || p.depth == 101 || p.depth == 152
               ? ""
               : "depth = " + std::to_string(p.depth) + " is not one of 50, 101 and 152";
  });
  return s;
}

SeResnet::SeResnet(const Params& params, const Context&) : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::se_resnet
