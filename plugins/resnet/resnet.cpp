#include "resnet.h"

#include <string>

namespace kindred::resnet {

namespace {

ResidualNetworkOptions options_of(const Resnet::Params& params) {
  auto options =
      residual_options({params.depth, params.last_stride, params.width_multiplier, params.stem_pooling});
  options.stem_relu = params.stem_relu;
  if (params.non_local) options.non_local = non_local_blocks(params.depth);
  options.groups = params.groups;
  options.width_per_group = params.width_per_group;
  return options;
}

}  // namespace

Schema<Resnet::Params> Resnet::schema() {
  Schema<Params> s("Residual network with the tensor names of torchvision.",
                   "He et al., CVPR 2016; Xie et al., CVPR 2017");
  add_residual_parameters(s, {18, 34, 50, 101, 152});
  s.add("stem_relu", &Params::stem_relu,
        "ReLU after the batch norm of the first convolution; false for weights of reid-strong-baseline, "
        "which has none");
  s.add("non_local", &Params::non_local,
        "non-local blocks (Wang et al., CVPR 2018) in stages 2 and 3, as fast-reid's AGW and SBS have them; "
        "for "
        "depth 50 and 101");
  s.add("groups", &Params::groups,
        "groups of the 3x3 convolutions of bottlenecks; ResNeXt 32x4d: 32, with width_per_group = 4")
      .range(1, 1024);
  s.add("width_per_group", &Params::width_per_group,
        "channels of each group where a stage has 64; wide networks: 128")
      .range(1, 1024);
  s.rule([](const Params& params) -> std::string {
    if (params.non_local && params.depth != 50 && params.depth != 101) {
      return "non_local needs depth = 50 or 101";
    }
    const bool plain = params.groups == 1 && params.width_per_group == 64;
    return plain || params.depth >= 50 ? "" : "groups and width_per_group need depth = 50 or more";
  });
  return s;
}

Resnet::Resnet(const Params& params, const Context&) : ResidualNetwork(options_of(params)) {}

}  // namespace kindred::resnet
