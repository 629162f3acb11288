#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vit.h"

namespace kindred::vit {

namespace {

constexpr int copied_block = 11;  // of TransReID's jigsaw patch module

// The names of timm's VisionTransformer (models/vision_transformer.py), which DeiT, DINO, MAE, MoCo v3,
// DINOv2 and TransReID share: each after a prefix.
std::vector<RenameRule> timm_rules(const std::string& prefix) {
  return {{prefix + "patch_embed.proj.*", "patch_embed.proj.*"},
          {prefix + "cls_token", "tokens.class_token"},
          {prefix + "dist_token", "tokens.distillation_token"},
          {prefix + "reg_token", "tokens.register_tokens"},
          {prefix + "register_tokens", "tokens.register_tokens"},
          {prefix + "pos_embed", "position.embedding"},
          {prefix + "blocks.#.*", "blocks.#.*"},
          {prefix + "norm.*", "norm.*"}};
}

WeightsLayout timm_layout(std::string name, std::vector<std::string> required,
                          std::vector<std::string> settings) {
  WeightsLayout layout{.name = std::move(name)};
  layout.required = {"cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.#.attn.qkv.weight"};
  layout.required.insert(layout.required.end(), required.begin(), required.end());
  layout.rules = timm_rules("");
  // Classifiers of ImageNet, the projections ahead of them, and what pretraining alone needs.
  layout.dropped = {"head.*", "head_dist.*", "pre_logits.*", "fc_norm.*", "mask_token", "decoder_*"};
  layout.settings = std::move(settings);
  return layout;
}

bool is_square(std::int64_t number) {
  const auto root = std::llround(std::sqrt(static_cast<double>(number)));
  return root * root == number;
}

// Networks with positions of patches alone (timm: no_embed_class): that of the class token is 0.
torch::Tensor with_class_position(const torch::Tensor& positions) {
  if (positions.dim() != 3) return positions;
  // Of a square grid it can be seen that the class token has one; iBOT's tensors are called as DeiT III's.
  const auto tokens = positions.size(1);
  if (is_square(tokens - 1) && !is_square(tokens)) return positions;
  return torch::cat({torch::zeros_like(positions.narrow(1, 0, 1)), positions}, 1);
}

WeightsLayout without_class_position(WeightsLayout layout) {
  for (auto& rule : layout.rules) {
    if (rule.from == "pos_embed") rule.convert = with_class_position;
  }
  return layout;
}

// facebookresearch/deit, models_v2.py
WeightsLayout deit3_layout(std::vector<std::string> settings) {
  auto layout = timm_layout("DeiT III", {"blocks.#.gamma_1", "blocks.#.gamma_2"}, std::move(settings));
  layout.rules.insert(layout.rules.begin(), {{"blocks.#.gamma_1", "blocks.#.ls1.gamma"},
                                             {"blocks.#.gamma_2", "blocks.#.ls2.gamma"}});
  return without_class_position(std::move(layout));
}

// torchvision/models/vision_transformer.py; the files that it publishes still have the names linear_1,
// linear_2.
WeightsLayout torchvision_layout() {
  const std::string layer = "encoder.layers.encoder_layer_#.";
  return {.name = "torchvision",
          .required = {"class_token", "conv_proj.weight", layer + "self_attention.in_proj_weight"},
          .rules = {{"conv_proj.*", "patch_embed.proj.*"},
                    {"class_token", "tokens.class_token"},
                    {"encoder.pos_embedding", "position.embedding"},
                    {layer + "ln_1.*", "blocks.#.norm1.*"},
                    {layer + "self_attention.in_proj_weight", "blocks.#.attn.qkv.weight"},
                    {layer + "self_attention.in_proj_bias", "blocks.#.attn.qkv.bias"},
                    {layer + "self_attention.out_proj.*", "blocks.#.attn.proj.*"},
                    {layer + "ln_2.*", "blocks.#.norm2.*"},
                    {layer + "mlp.linear_1.*", "blocks.#.mlp.fc1.*"},
                    {layer + "mlp.linear_2.*", "blocks.#.mlp.fc2.*"},
                    {layer + "mlp.0.*", "blocks.#.mlp.fc1.*"},
                    {layer + "mlp.3.*", "blocks.#.mlp.fc2.*"},
                    {"encoder.ln.*", "norm.*"}},
          .dropped = {"heads.*"}};
}

// TransReID, model/make_model.py: the backbone is "base"; "fc" is its classifier of ImageNet, never used.
WeightsLayout transreid_layout() {
  auto rules = timm_rules("base.");
  rules.push_back({"base.sie_embed", "side.embedding"});
  return {.name = "TransReID",
          .note =
              "stride and side_information ('camera', 'view' or 'camera_view', where the file has "
              "base.sie_embed) must be those of its training",
          .required = {"base.cls_token", "base.pos_embed", "base.blocks.#.attn.qkv.weight"},
          .rules = std::move(rules),
          .dropped = {"base.fc.*"}};
}

// With the jigsaw patch module "b1" and "b2" are copies of the last of 12 blocks and of the norm, which are
// trained instead of them.
WeightsLayout transreid_jpm_layout() {
  auto layout = transreid_layout();
  layout.required.insert(layout.required.end(), {"b1.0.norm1.weight", "b2.0.norm1.weight"});
  const auto replaced = [](const RenameRule& rule) {
    return rule.from == "base.blocks.#.*" || rule.from == "base.norm.*";
  };
  layout.rules.erase(std::remove_if(layout.rules.begin(), layout.rules.end(), replaced), layout.rules.end());
  for (int i = 0; i < copied_block; ++i) {
    const auto block = "blocks." + std::to_string(i) + ".*";
    layout.rules.push_back({"base." + block, block});
  }
  layout.dropped.insert(layout.dropped.end(),
                        {"base.blocks." + std::to_string(copied_block) + ".*", "base.norm.*"});
  return layout;
}

// For whoever takes the backbone alone.
WeightsLayout transreid_global_layout() {
  auto layout = transreid_jpm_layout();
  layout.rules.push_back({"b1.0.*", "blocks." + std::to_string(copied_block) + ".*"});
  layout.rules.push_back({"b1.1.*", "norm.*"});
  return layout;
}

}  // namespace

std::vector<WeightsLayout> Vit::weights_layouts() {
  const std::string scaled = "blocks.#.ls1.gamma";
  const std::string scale = "backbone.layer_scale=1e-5";
  const std::string patch = "backbone.patch_size=14";
  const std::string registers = "backbone.registers=4";
  const std::string projector = "head.1.running_mean";
  return {transreid_jpm_layout(), transreid_global_layout(), transreid_layout(), torchvision_layout(),
          // facebookresearch/dinov2, dinov2/models/vision_transformer.py
          timm_layout("DINOv2", {"register_tokens", "mask_token", scaled}, {scale, patch, registers}),
          timm_layout("DINOv2", {"mask_token", scaled}, {scale, patch}),
          deit3_layout({"backbone.layer_scale=1e-4"}),
          // facebookresearch/moco-v3, vits.py: 12 blocks have 12 heads, also of 384 channels, 24 have 16.
          timm_layout("MoCo v3", {projector, "blocks.23.attn.qkv.weight"}, {"backbone.heads=16"}),
          timm_layout("MoCo v3", {projector}, {"backbone.heads=12"}),
          without_class_position(timm_layout("timm", {scaled, "reg_token"}, {scale, registers})),
          timm_layout("timm", {scaled}, {scale}),
          timm_layout("timm", {"dist_token"}, {"backbone.distilled=true"}), timm_layout("timm", {}, {})};
}

}  // namespace kindred::vit
