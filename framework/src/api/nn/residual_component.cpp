#include "kindred/nn/residual_component.h"

#include <algorithm>
#include <cstddef>

namespace kindred {
namespace {

std::string listed(const std::vector<std::int64_t>& depths, const std::string& last) {
  std::string text;
  for (std::size_t i = 0; i < depths.size(); ++i) {
    if (i > 0) text += i + 1 == depths.size() ? last : ", ";
    text += std::to_string(depths[i]);
  }
  return text;
}

/// A layout to which the network's own names are added; in the file each follows a prefix.
WeightsLayout with_own_names(ResidualStem stem, const std::string& prefix, WeightsLayout layout) {
  const bool top = stem == ResidualStem::torchvision;
  layout.required.push_back(prefix + (top ? "conv1.weight" : "layer0.conv1.weight"));
  layout.required.push_back(prefix + "layer1.0.conv1.weight");
  if (top) layout.rules = {{prefix + "conv1.*", "conv1.*"}, {prefix + "bn1.*", "bn1.*"}};
  layout.rules.push_back({prefix + "layer#.*", "layer#.*"});
  return layout;
}

}  // namespace

ResidualNetworkOptions residual_options(const ResidualParameters& parameters) {
  ResidualNetworkOptions options;
  options.block = parameters.depth < 50 ? ResidualBlock::basic : ResidualBlock::bottleneck;
  options.stages = residual_stages(parameters.depth);
  options.last_stride = parameters.last_stride;
  options.width_multiplier = parameters.width_multiplier;
  return options;
}

std::vector<WeightsLayout> residual_weights_layouts(ResidualStem stem) {
  const bool top = stem == ResidualStem::torchvision;
  std::vector<WeightsLayout> layouts = {
      // torchreid/models/resnet.py, senet.py
      with_own_names(stem, "", {.name = "torchreid", .required = {"classifier.weight"}}),
      // reid-strong-baseline, modeling/baseline.py
      with_own_names(
          stem, "base.",
          {.name = "reid-strong-baseline",
           .note =
               top ? "its ResNet needs stem_relu = false: it has no ReLU after the first convolution" : "",
           .required = {"bottleneck.running_mean"}})};
  if (!top) {
    // senet.py; "last_linear" is the classifier of ImageNet.
    layouts.push_back(
        with_own_names(stem, "", {.name = "pretrained-models (Cadene)", .dropped = {"last_linear.*"}}));
    // A sequence of layer0, layer1, layer2, layer3.0. "base.*" is the network that it was copied from.
    layouts.push_back({.name = "MGN on SE-ResNet (NAIC 2019)",
                       .required = {"backbone.0.conv1.weight", "backbone.3.conv1.weight", "p1.0.#.*"},
                       .rules = {{"backbone.0.*", "layer0.*"},
                                 {"backbone.1.*", "layer1.*"},
                                 {"backbone.2.*", "layer2.*"},
                                 {"backbone.3.*", "layer3.0.*"}},
                       .dropped = {"base.*"}});
    return layouts;
  }
  const std::string fast_reid = "the ResNet of fast-reid needs stem_pooling = 'rounded_up'";
  // torchvision/models/resnet.py; "fc" is the classifier of ImageNet.
  layouts.push_back(with_own_names(stem, "", {.name = "torchvision", .dropped = {"fc.*"}}));
  // fastreid/modeling/meta_arch/baseline.py
  layouts.push_back(with_own_names(
      stem, "backbone.",
      {.name = "fast-reid baseline",
       .note =
           fast_reid + "; if it has non-local or SE blocks (unused 'NL_*' and 'se.*'), the outputs differ",
       .required = {"heads.*"}}));
  // fastreid/modeling/meta_arch/mgn.py: a sequence of conv1, bn1, ReLU, pooling, layer1, layer2, layer3.0.
  layouts.push_back({.name = "fast-reid MGN",
                     .note = fast_reid,
                     .required = {"backbone.0.weight", "backbone.6.conv1.weight", "b1_head.*"},
                     .rules = {{"backbone.0.*", "conv1.*"},
                               {"backbone.1.*", "bn1.*"},
                               {"backbone.4.*", "layer1.*"},
                               {"backbone.5.*", "layer2.*"},
                               {"backbone.6.*", "layer3.0.*"}}});
  return layouts;
}

namespace detail {

std::string depths_text(const std::vector<std::int64_t>& depths) {
  return listed(depths, " or ");
}

std::string wrong_depth(std::int64_t depth, const std::vector<std::int64_t>& depths) {
  if (std::find(depths.begin(), depths.end(), depth) != depths.end()) return "";
  const auto text = "depth = " + std::to_string(depth) + " is ";
  return depths.size() == 2 ? text + "neither " + listed(depths, " nor ")
                            : text + "not one of " + listed(depths, " and ");
}

}  // namespace detail

}  // namespace kindred
