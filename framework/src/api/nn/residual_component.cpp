#include "kindred/nn/residual_component.h"

#include <algorithm>
#include <cstddef>
#include <utility>

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

constexpr const char* rounded_up = "backbone.stem_pooling='rounded_up'";

/// A layout to which the network's own names are added; in the file each follows a prefix.
WeightsLayout with_own_names(ResidualStem stem, ResidualNorm norm, const std::string& prefix,
                             WeightsLayout layout) {
  const bool top = stem == ResidualStem::torchvision;
  if (norm == ResidualNorm::instance_batch) {
    layout.required.push_back(prefix + "layer1.0.bn1.IN.weight");
  }
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
  options.stem_pooling = parameters.stem_pooling;
  return options;
}

std::vector<WeightsLayout> residual_weights_layouts(ResidualStem stem, ResidualNorm norm) {
  const bool top = stem == ResidualStem::torchvision;
  const auto named = [&](const std::string& prefix, WeightsLayout layout) {
    return with_own_names(stem, norm, prefix, std::move(layout));
  };
  // Without padding and rounded up: Cadene's networks wherever they are. reid-strong-baseline's plain ResNet
  // lacks a ReLU, its IBN-a has it.
  const std::string stem_setting = top ? "backbone.stem_pooling='padded'" : rounded_up;
  std::vector<std::string> of_strong_baseline = {stem_setting};
  if (top && norm == ResidualNorm::batch) of_strong_baseline.emplace_back("backbone.stem_relu=false");
  std::vector<WeightsLayout> layouts = {
      // torchreid/models/resnet.py, senet.py, resnet_ibn_a.py: with "fc" they are resnet50_fc512 and
      // se_resnet50_fc512, whose last stride is 1.
      named("", {.name = "torchreid",
                 .required = {"classifier.weight", "fc.0.weight"},
                 .dropped = {"classifier.*"},
                 .settings = {stem_setting, "backbone.last_stride=1"}}),
      named("", {.name = "torchreid",
                 .required = {"classifier.weight"},
                 .dropped = {"classifier.*"},
                 .settings = {stem_setting, "backbone.last_stride=2"}}),
      // reid-strong-baseline, modeling/baseline.py; its IBN-a keeps the classifier of ImageNet as "fc".
      named("base.", {.name = "reid-strong-baseline",
                      .note = "the last stride is MODEL.LAST_STRIDE of its configuration, 1 in all it has",
                      .required = {"bottleneck.running_mean"},
                      .dropped = {"base.fc.*"},
                      .settings = of_strong_baseline})};
  if (!top) {
    // senet.py; "last_linear" is the classifier of ImageNet.
    layouts.push_back(named("", {.name = "pretrained-models (Cadene)", .dropped = {"last_linear.*"}}));
    // A sequence of layer0, layer1, layer2, layer3.0. "base.*" is the network that it was copied from.
    layouts.push_back({.name = "MGN on SE-ResNet (NAIC 2019)",
                       .required = {"backbone.0.conv1.weight", "backbone.3.conv1.weight", "p1.0.#.*"},
                       .rules = {{"backbone.0.*", "layer0.*"},
                                 {"backbone.1.*", "layer1.*"},
                                 {"backbone.2.*", "layer2.*"},
                                 {"backbone.3.*", "layer3.0.*"}},
                       .dropped = {"base.*"},
                       .settings = {rounded_up}});
    return layouts;
  }
  // torchvision/models/resnet.py; "fc" is the classifier of ImageNet. Networks that start from these weights
  // have stems of their own: nothing is demanded.
  layouts.push_back(named("", {.name = "torchvision", .dropped = {"fc.*"}}));
  // fastreid/modeling/meta_arch/baseline.py, backbones/resnet.py
  const std::string stride_note = "the last stride is LAST_STRIDE of its configuration, 1 in all it has";
  layouts.push_back(named("backbone.", {.name = "fast-reid baseline",
                                        .note = stride_note,
                                        .required = {"heads.*", "backbone.NL_2.0.theta.weight"},
                                        .settings = {rounded_up, "backbone.non_local=true"}}));
  for (const std::string stage : {"2", "3"}) {
    layouts.back().rules.push_back({"backbone.NL_" + stage + ".*", "non_local" + stage + ".*"});
  }
  layouts.push_back(named("backbone.", {.name = "fast-reid baseline",
                                        .note = stride_note,
                                        .required = {"heads.*"},
                                        .settings = {rounded_up}}));
  // fastreid/modeling/meta_arch/mgn.py: a sequence of conv1, bn1, ReLU, pooling, layer1, layer2, layer3.0.
  layouts.push_back({.name = "fast-reid MGN",
                     .required = {"backbone.0.weight", "backbone.6.conv1.weight", "b1_head.*"},
                     .rules = {{"backbone.0.*", "conv1.*"},
                               {"backbone.1.*", "bn1.*"},
                               {"backbone.4.*", "layer1.*"},
                               {"backbone.5.*", "layer2.*"},
                               {"backbone.6.*", "layer3.0.*"}},
                     .settings = {rounded_up}});
  if (norm == ResidualNorm::instance_batch) {
    layouts.back().required.emplace_back("backbone.4.0.bn1.IN.weight");
  }
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
