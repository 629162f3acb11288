#include "weights_layouts.h"

#include <torch/types.h>

#include <string>

namespace kindred::convnext {

namespace {

constexpr int stage_count = 4;
constexpr const char* norm_note =
    "it normalizes the pooled vector, Kindred with final_norm = true each pixel of the map, by the same "
    "weights";

// What a program calls the parts of a block.
struct BlockParts {
  std::string depthwise;
  std::string norm;
  std::string fc1;
  std::string fc2;
};

// @param blocks ahead of the numbers of its blocks
// @param downsample ahead of the numbers of what downsamples ahead of the stage, a normalization and a
// convolution, or in the first stage of the stem, a convolution and a normalization
void add_stage(std::vector<RenameRule>& rules, int stage, const std::string& blocks,
               const std::string& downsample, const BlockParts& parts) {
  const auto own = "stages." + std::to_string(stage);
  const auto first = stage == 0 ? std::string("stem") : own + ".downsample";
  for (const std::string number : {".0.*", ".1.*"}) rules.push_back({downsample + number, first + number});
  const auto rename = [&](const std::string& from, const std::string& to) {
    rules.push_back({blocks + ".#." + from + ".*", own + ".blocks.#." + to + ".*"});
  };
  rename(parts.depthwise, "conv_dw");
  rename(parts.norm, "norm");
  rename(parts.fc1, "mlp.fc1");
  rename(parts.fc2, "mlp.fc2");
}

WeightsLayout timm_layout() {
  WeightsLayout layout{.name = "timm",
                       .note = norm_note,
                       .required = {"stem.0.weight", "stages.0.blocks.0.conv_dw.weight"},
                       .dropped = {"head.fc.*"}};
  for (int stage = 0; stage < stage_count; ++stage) {
    const auto own = "stages." + std::to_string(stage);
    add_stage(layout.rules, stage, own + ".blocks", stage == 0 ? "stem" : own + ".downsample",
              {"conv_dw", "norm", "mlp.fc1", "mlp.fc2"});
    layout.rules.push_back({own + ".blocks.#.gamma", own + ".blocks.#.gamma"});
  }
  layout.rules.push_back({"head.norm.*", "norm.*"});
  return layout;
}

WeightsLayout facebook_layout() {
  WeightsLayout layout{.name = "ConvNeXt (Facebook)",
                       .note = norm_note,
                       .required = {"downsample_layers.0.0.weight", "stages.0.0.dwconv.weight"},
                       .dropped = {"head.*"}};
  for (int stage = 0; stage < stage_count; ++stage) {
    const auto number = std::to_string(stage);
    add_stage(layout.rules, stage, "stages." + number, "downsample_layers." + number,
              {"dwconv", "norm", "pwconv1", "pwconv2"});
    layout.rules.push_back({"stages." + number + ".#.gamma", "stages." + number + ".blocks.#.gamma"});
  }
  layout.rules.push_back({"norm.*", "norm.*"});
  return layout;
}

WeightsLayout torchvision_layout() {
  WeightsLayout layout{.name = "torchvision",
                       .note = norm_note,
                       .required = {"features.0.0.weight", "features.1.0.layer_scale"},
                       .dropped = {"classifier.2.*"}};
  for (int stage = 0; stage < stage_count; ++stage) {
    const auto blocks = "features." + std::to_string(2 * stage + 1);
    add_stage(layout.rules, stage, blocks, "features." + std::to_string(2 * stage),
              {"block.0", "block.2", "block.3", "block.5"});
    layout.rules.push_back({blocks + ".#.layer_scale", "stages." + std::to_string(stage) + ".blocks.#.gamma",
                            [](const torch::Tensor& scale) { return scale.flatten(); }});
  }
  layout.rules.push_back({"classifier.0.*", "norm.*"});
  return layout;
}

}  // namespace

std::vector<WeightsLayout> convnext_weights_layouts() {
  return {timm_layout(), facebook_layout(), torchvision_layout()};
}

}  // namespace kindred::convnext
