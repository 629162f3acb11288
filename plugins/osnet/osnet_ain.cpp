#include "osnet_ain.h"

#include <array>
#include <cstddef>
#include <string>

namespace kindred::osnet {
namespace {

/// Of the two blocks of conv2, conv3 and conv4.
constexpr std::array<std::array<ResidualNorm, 2>, 3> residual_norms = {
    {{ResidualNorm::inside, ResidualNorm::inside},
     {ResidualNorm::none, ResidualNorm::inside},
     {ResidualNorm::inside, ResidualNorm::none}}};

}  // namespace

Schema<OsnetAin::Params> OsnetAin::schema() {
  return osnet_schema("Omni-scale network with instance normalization where it generalizes best (OSNet-AIN).",
                      "Zhou et al., TPAMI 2021", "pool3", "conv3.1");
}

std::vector<WeightsLayout> OsnetAin::weights_layouts() {
  return {{.name = "torchreid",
           .required = {"conv1.conv.weight", "conv2.0.conv2.0.layers.0.conv1.weight"},
           .rules = {{"conv#.*", "conv#.*"}, {"pool#.*", "pool#.*"}},
           .settings = {"backbone.last_stride=2"}}};
}

OsnetAin::OsnetAin(const Params& params, const Context& /*context*/)
    : channels_(stage_channels(params.width_multiplier)) {
  assemble(params.last_stride);
}

std::vector<BlockRecipe> OsnetAin::block_recipes(std::int64_t last_stride) const {
  std::vector<BlockRecipe> recipes;
  recipes.push_back(stem(channels_[0], Norm::instance));
  for (std::size_t stage = 1; stage < channels_.size(); ++stage) {
    const auto number = std::to_string(stage + 1);
    const auto out = channels_[stage];
    for (std::size_t i = 0; i < 2; ++i) {
      recipes.push_back(omni_scale_block("conv" + number + "." + std::to_string(i),
                                         {.in = i == 0 ? channels_[stage - 1] : out,
                                          .out = out,
                                          .residual_norm = residual_norms.at(stage - 1).at(i),
                                          .names = StreamNames::numbers}));
    }
    if (stage + 1 == channels_.size()) continue;
    recipes.push_back(transition("pool" + number, out, stage + 2 == channels_.size() ? last_stride : 2));
  }
  recipes.push_back(last_convolution(channels_.back()));
  return recipes;
}

}  // namespace kindred::osnet
