#include "clip_layouts.h"

#include <torch/types.h>

#include <string>
#include <utility>

namespace kindred::clip {
namespace {

constexpr const char* clip_name = "CLIP";
constexpr const char* reid_name = "CLIP-ReID";

using Rules = std::vector<RenameRule>;
using Names = std::vector<std::string>;

void append(Rules& rules, const Rules& more) {
  rules.insert(rules.end(), more.begin(), more.end());
}

/// A residual attention block of images or texts.
Rules block_rules(const std::string& from, const std::string& to) {
  Rules rules;
  for (const auto& [theirs, own] : {std::pair{"ln_1.*", "norm1.*"},
                                    {"attn.in_proj_weight", "attn.qkv.weight"},
                                    {"attn.in_proj_bias", "attn.qkv.bias"},
                                    {"attn.out_proj.*", "attn.proj.*"},
                                    {"ln_2.*", "norm2.*"},
                                    {"mlp.c_fc.*", "mlp.fc1.*"},
                                    {"mlp.c_proj.*", "mlp.fc2.*"}}) {
    rules.push_back({from + theirs, to + own});
  }
  return rules;
}

/// A file of one position for each row, whose grid is the network's own: nothing to interpolate.
torch::Tensor with_batch(const torch::Tensor& rows) {
  return rows.unsqueeze(0);
}

/// @param visual ahead of the names of the image encoder: "visual."
Rules vit_rules(const std::string& visual) {
  Rules rules = {{visual + "conv1.weight", "embedding.patch.weight"},
                 {visual + "class_embedding", "embedding.class_token"},
                 {visual + "positional_embedding", "embedding.position.embedding"},
                 {visual + "ln_pre.*", "embedding.norm.*"},
                 {visual + "ln_post.*", "norm.*"}};
  append(rules, block_rules(visual + "transformer.resblocks.#.", "blocks.#."));
  return rules;
}

Rules resnet_rules(const std::string& visual) {
  return {{visual + "conv#.*", "conv#.*"}, {visual + "bn#.*", "bn#.*"}, {visual + "layer#.*", "layer#.*"}};
}

/// The projection, and the part of the backbone that the head has as its own.
Rules head_rules(const std::string& visual) {
  Rules rules = {{visual + "proj", "projection.weight"},
                 {visual + "attnpool.positional_embedding", "projection.position.embedding"},
                 {visual + "attnpool.*", "projection.*"},
                 {visual + "layer#.*", "rest.layer#.*"},
                 {visual + "ln_post.*", "rest.norm.*"}};
  append(rules, block_rules(visual + "transformer.resblocks.#.", "rest.blocks.#."));
  return rules;
}

/// What CLIP's files hold of texts, and of the image encoder beside the backbone.
Names clip_dropped(bool all) {
  Names names = {
      "transformer.*", "token_embedding.weight", "positional_embedding", "text_projection", "ln_final.*",
      "logit_scale",   "input_resolution",       "context_length",       "vocab_size",      "attn_mask"};
  if (all) names.insert(names.end(), {"visual.proj", "visual.attnpool.*"});
  return names;
}

Names reid_dropped(bool all) {
  Names names = {"prompt_learner.*", "text_encoder.*"};
  if (all) {
    names.insert(names.end(), {"image_encoder.proj", "image_encoder.attnpool.*", "bottleneck.*",
                               "bottleneck_proj.*", "classifier.weight", "classifier_proj.weight"});
  }
  return names;
}

constexpr const char* vit_form = "transformer.resblocks.#.attn.in_proj_weight";
constexpr const char* resnet_form = "layer4.#.conv3.weight";

/// @param note of CLIP's files
std::vector<WeightsLayout> backbone_layouts(Rules (*rules_of)(const std::string&), const std::string& form,
                                            const std::string& note) {
  auto reid_rules = rules_of("image_encoder.");
  for (auto& rule : reid_rules) {
    if (rule.from.ends_with(".positional_embedding")) rule.convert = with_batch;
  }
  reid_rules.push_back({"cv_embed", "embedding.side.embedding",
                        [](const torch::Tensor& table) { return table.unsqueeze(1); }});
  return {{.name = clip_name,
           .note = note,
           .required = {"visual." + form},
           .rules = rules_of("visual."),
           .dropped = clip_dropped(true)},
          {.name = reid_name,
           .required = {"image_encoder." + form},
           .rules = std::move(reid_rules),
           .dropped = reid_dropped(true),
           .settings = {"augmentation.resize.antialias=true"}}};
}

}  // namespace

std::vector<WeightsLayout> vit_layouts() {
  return backbone_layouts(vit_rules, vit_form,
                          "networks of open_clip whose name does not end in -quickgelu need activation = "
                          "'gelu'");
}

std::vector<WeightsLayout> resnet_layouts() {
  return backbone_layouts(resnet_rules, resnet_form, "");
}

std::vector<WeightsLayout> head_layouts() {
  auto reid_rules = head_rules("image_encoder.");
  for (auto& rule : reid_rules) {
    if (rule.from.ends_with(".positional_embedding")) rule.convert = with_batch;
  }
  append(reid_rules, {{"bottleneck.*", "neck.*"},
                      {"bottleneck_proj.*", "neck_projected.*"},
                      {"classifier.*", "classifier.*"},
                      {"classifier_proj.*", "classifier_projected.*"}});
  WeightsLayout reid{.name = reid_name,
                     .required = {"bottleneck_proj.running_mean"},
                     .rules = std::move(reid_rules),
                     .dropped = reid_dropped(false)};
  // Its configurations normalize images for transformers otherwise than for ImageNet. Its residual networks
  // have no stride in the last stage.
  auto vit = reid;
  vit.required.emplace_back("image_encoder.proj");
  vit.settings = {"augmentation.normalize.mean=[0.5,0.5,0.5]", "augmentation.normalize.std=[0.5,0.5,0.5]"};
  reid.required.emplace_back("image_encoder.attnpool.*");
  reid.settings = {"head.last_stride=1"};
  return {{.name = clip_name, .rules = head_rules("visual."), .dropped = clip_dropped(false)},
          std::move(vit),
          std::move(reid)};
}

std::vector<WeightsLayout> text_layouts() {
  Rules rules = {{"ln_final.*", "text.norm.*"},
                 {"positional_embedding", "text.position"},
                 {"text_projection", "text.projection"},
                 {"token_embedding.weight", "words"}};
  append(rules, block_rules("transformer.resblocks.#.", "text.blocks.#."));
  return {{.name = clip_name,
           .note = "networks of open_clip whose name does not end in -quickgelu need activation = 'gelu'",
           .required = {"transformer.resblocks.#.attn.in_proj_weight", "text_projection",
                        "token_embedding.weight"},
           .rules = std::move(rules),
           .dropped = {"visual.*", "logit_scale", "input_resolution", "context_length", "vocab_size",
                       "attn_mask"}}};
}

}  // namespace kindred::clip
