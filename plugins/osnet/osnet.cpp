#include "osnet.h"

#include <cstddef>
#include <string>

namespace kindred::osnet {

Schema<Osnet::Params> Osnet::schema() {
  return osnet_schema("Omni-scale network: small, designed for re-identification.",
                      "Zhou et al., ICCV 2019, table 1", "conv3.2", "conv3.1");
}

std::vector<WeightsLayout> Osnet::weights_layouts() {
  return {{.name = "torchreid",
           .required = {"conv1.conv.weight", "conv2.0.conv2a.conv1.weight"},
           .rules = {{"conv#.*", "conv#.*"}},
           .settings = {"backbone.last_stride=2"}}};
}

Osnet::Osnet(const Params& params, const Context& /*context*/) : OsnetChain(params, false) {
  assemble(params.last_stride);
}

Schema<OsnetIbn::Params> OsnetIbn::schema() {
  return osnet_schema("Omni-scale network with instance normalization in its first layers (OSNet-IBN).",
                      "Zhou et al., TPAMI 2021; Pan et al., ECCV 2018, figure 3 (b)", "conv3.2", "conv3.1");
}

std::vector<WeightsLayout> OsnetIbn::weights_layouts() {
  return {{.name = "torchreid",
           .required = {"conv1.conv.weight", "conv2.0.conv2a.conv1.weight", "conv2.0.IN.weight"},
           .rules = {{"conv#.*", "conv#.*"}},
           .settings = {"backbone.last_stride=2"}}};
}

OsnetIbn::OsnetIbn(const Params& params, const Context& /*context*/) : OsnetChain(params, true) {
  assemble(params.last_stride);
}

OsnetChain::OsnetChain(const OsnetParams& params, bool instance_norm)
    : channels_(stage_channels(params.width_multiplier)), instance_norm_(instance_norm) {}

std::vector<BlockRecipe> OsnetChain::block_recipes(std::int64_t last_stride) const {
  std::vector<BlockRecipe> recipes;
  recipes.push_back(stem(channels_[0], instance_norm_ ? Norm::instance : Norm::batch));
  for (std::size_t stage = 1; stage < channels_.size(); ++stage) {
    const auto name = "conv" + std::to_string(stage + 1);
    const auto norm = instance_norm_ && stage == 1 ? ResidualNorm::after_sum : ResidualNorm::none;
    const auto out = channels_[stage];
    recipes.push_back(
        omni_scale_block(name + ".0", {.in = channels_[stage - 1], .out = out, .residual_norm = norm}));
    recipes.push_back(omni_scale_block(name + ".1", {.in = out, .out = out, .residual_norm = norm}));
    if (stage + 1 == channels_.size()) continue;
    recipes.push_back(transition(name + ".2", out, stage + 2 == channels_.size() ? last_stride : 2));
  }
  recipes.push_back(last_convolution(channels_.back()));
  return recipes;
}

}  // namespace kindred::osnet
