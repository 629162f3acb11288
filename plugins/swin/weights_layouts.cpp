#include "weights_layouts.h"

#include <torch/types.h>

#include <functional>
#include <string>
#include <utility>

namespace kindred::swin {

namespace {

constexpr int stage_count = 4;

using Convert = std::function<torch::Tensor(const torch::Tensor&)>;

// What a program calls the parts of a network: of a stage, counted from 0, ahead of the numbers of its blocks
// and of what downsamples ahead of it; and within a block.
struct ProgramNames {
  std::string patch_projection;
  std::string patch_norm;
  std::function<std::string(int stage)> blocks;
  std::function<std::string(int stage)> downsample;
  std::string attention;  // ahead of the bias table, "qkv" and "proj"
  std::string fc1;
  std::string fc2;
  std::string norm;  // the last one
};

std::string numbered(const std::string& before, int number, const std::string& after) {
  return before + std::to_string(number) + after;
}

std::vector<RenameRule> rules_of(const ProgramNames& names, const Convert& merging_norm = {},
                                 const Convert& merging_reduction = {}) {
  std::vector<RenameRule> rules{{names.patch_projection + ".*", "patch_embed.proj.*"},
                                {names.patch_norm + ".*", "patch_embed.norm.*"},
                                {names.norm + ".*", "norm.*"}};
  for (int stage = 0; stage < stage_count; ++stage) {
    const auto from = names.blocks(stage) + ".#.";
    const auto to = numbered("layers.", stage, ".blocks.#.");
    for (const std::string norm : {"norm1", "norm2"}) rules.push_back({from + norm + ".*", to + norm + ".*"});
    for (const std::string part : {"qkv.*", "proj.*", "relative_position_bias_table"}) {
      rules.push_back({from + names.attention + "." + part, to + "attn." + part});
    }
    rules.push_back({from + names.fc1 + ".*", to + "mlp.fc1.*"});
    rules.push_back({from + names.fc2 + ".*", to + "mlp.fc2.*"});
    if (stage == 0) continue;
    const auto downsample = numbered("layers.", stage, ".downsample.");
    rules.push_back({names.downsample(stage) + ".norm.*", downsample + "norm.*", merging_norm});
    rules.push_back(
        {names.downsample(stage) + ".reduction.weight", downsample + "reduction.weight", merging_reduction});
  }
  return rules;
}

// mmcv's nn.Unfold joins 2 x 2 pixels as (channel, row, column); here they are joined as (column, row,
// channel). The last dimension is of 4 times as many values.
torch::Tensor from_unfold(const torch::Tensor& tensor) {
  auto shape = tensor.sizes().vec();
  if (shape.empty() || shape.back() % 4 != 0) return tensor;  // its shape is refused later
  const auto joined = shape.back();
  shape.back() = joined / 4;
  shape.insert(shape.end(), {2, 2});
  return tensor.reshape(shape).transpose(-3, -1).reshape(tensor.sizes()).contiguous();
}

ProgramNames microsoft_names() {
  return {.patch_projection = "patch_embed.proj",
          .patch_norm = "patch_embed.norm",
          .blocks = [](int stage) { return numbered("layers.", stage, ".blocks"); },
          .downsample = [](int stage) { return numbered("layers.", stage - 1, ".downsample"); },
          .attention = "attn",
          .fc1 = "mlp.fc1",
          .fc2 = "mlp.fc2",
          .norm = "norm"};
}

// timm from 0.9 on.
ProgramNames timm_names() {
  auto names = microsoft_names();
  names.downsample = [](int stage) { return numbered("layers.", stage, ".downsample"); };
  return names;
}

ProgramNames torchvision_names() {
  return {.patch_projection = "features.0.0",
          .patch_norm = "features.0.2",
          .blocks = [](int stage) { return "features." + std::to_string(2 * stage + 1); },
          .downsample = [](int stage) { return "features." + std::to_string(2 * stage); },
          .attention = "attn",
          .fc1 = "mlp.0",
          .fc2 = "mlp.3",
          .norm = "norm"};
}

// @param prefix ahead of all names
ProgramNames solider_names(const std::string& prefix) {
  return {.patch_projection = prefix + "patch_embed.projection",
          .patch_norm = prefix + "patch_embed.norm",
          .blocks = [=](int stage) { return numbered(prefix + "stages.", stage, ".blocks"); },
          .downsample = [=](int stage) { return numbered(prefix + "stages.", stage - 1, ".downsample"); },
          .attention = "attn.w_msa",
          .fc1 = "ffn.layers.0.0",
          .fc2 = "ffn.layers.1",
          .norm = prefix + "norm3"};
}

WeightsLayout solider_layout(std::string name, const std::string& prefix) {
  WeightsLayout layout{.name = std::move(name),
                       .note =
                           "for its outputs semantic_weight must be the one that it was trained with: "
                           "SOLIDER-REID has 0.2",
                       .required = {prefix + "stages.0.blocks.0.attn.w_msa.qkv.weight"},
                       .rules = rules_of(solider_names(prefix), from_unfold, from_unfold),
                       .settings = {"backbone.shift_single_window=true"}};
  // It is applied to what goes into a stage. The fourth pair is of a stage that does not exist.
  for (int stage = 1; stage < stage_count; ++stage) {
    for (const std::string part : {"w", "b"}) {
      layout.rules.push_back({numbered(prefix + "semantic_embed_" + part + ".", stage - 1, ".*"),
                              numbered("layers.", stage, ".semantic." + part + ".*")});
    }
  }
  for (const std::string part : {"w", "b"}) {
    layout.dropped.push_back(numbered(prefix + "semantic_embed_" + part + ".", stage_count - 1, ".*"));
  }
  layout.dropped.push_back(prefix + "norm#.*");  // of the maps of earlier stages
  layout.dropped.push_back(prefix + "stages.#.blocks.#.attn.w_msa.relative_position_index");
  return layout;
}

}  // namespace

std::vector<WeightsLayout> swin_weights_layouts() {
  const std::vector<std::string> derived = {"layers.#.blocks.#.attn.relative_position_index",
                                            "layers.#.blocks.#.attn_mask"};
  auto microsoft_dropped = derived;
  microsoft_dropped.push_back("head.*");
  const std::string timm_note =
      "at an image size that gives no whole windows timm shifts before it pads, and its windows may be "
      "smaller "
      "than its tables say; Kindred does as torchvision";
  return {{.name = "timm",
           .note = timm_note,
           .required = {"layers.1.downsample.reduction.weight", "layers.3.downsample.reduction.weight",
                        "layers.0.blocks.0.attn.relative_position_bias_table"},
           .rules = rules_of(timm_names()),
           .dropped = microsoft_dropped},
          {.name = "Swin Transformer (Microsoft)",
           .required = {"layers.0.downsample.reduction.weight",
                        "layers.0.blocks.0.attn.relative_position_bias_table"},
           .rules = rules_of(microsoft_names()),
           .dropped = microsoft_dropped},
          {.name = "torchvision",
           .required = {"features.0.2.weight", "features.1.0.attn.relative_position_bias_table",
                        "features.2.reduction.weight"},
           .rules = rules_of(torchvision_names()),
           .dropped = {"features.#.#.attn.relative_position_index", "head.*"}},
          solider_layout("SOLIDER", ""),
          solider_layout("SOLIDER-REID", "base.")};
}

}  // namespace kindred::swin
