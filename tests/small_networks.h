// Every shipped backbone under every shipped head, small, for images of 96 x 48.
#pragma once

#include <torch/torch.h>

#include <optional>
#include <string>

#include "kindred/core/catalog.h"
#include "kindred/role/backbone.h"
#include "kindred/role/head.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "test_paths.h"

namespace kindred::test {

/// What makes a backbone small for images of 96 x 48, and where MGN's branches may begin.
struct SmallBackbone {
  std::string parameters = "width_multiplier=0.25";
  std::string cut = "layer3.0";
  bool tokens = false;
};

inline SmallBackbone small_backbone_of(const std::string& name) {
  if (name.starts_with("osnet")) return {.cut = "conv3.1"};
  if (name == "swin") return {.parameters = "size='tiny'", .cut = "layers.2.blocks.5"};
  if (name == "convnext") return {.parameters = "size='tiny'", .cut = "stages.2.blocks.8"};
  if (name == "clip_resnet") return {.parameters = "variant='RN50'", .cut = "layer3.0"};
  if (name == "clip_vit") {
    return {.parameters = "variant='ViT-B/16',depth=3,image_height=96,image_width=48",
            .cut = "blocks.0",
            .tokens = true};
  }
  if (name == "vit") {
    return {.parameters = "dim=32,depth=3,heads=2,image_height=96,image_width=48",
            .cut = "blocks.0",
            .tokens = true};
  }
  return {};
}

/// Nothing where the head is not made for the backbone: one for tokens on maps, CLIP's on another network.
/// @param more parameters of the backbone: ", name=value"
inline std::optional<recipe::Plan> small_plan(const Catalog& catalog, const ComponentInfo& backbone,
                                              const ComponentInfo& head, const std::string& more = "") {
  const auto small = small_backbone_of(backbone.name);
  if (head.takes_form == FeatureForm::tokens && !small.tokens) return std::nullopt;
  const bool clip = head.name == "clip_reid";
  if (clip && !backbone.name.starts_with("clip_")) return std::nullopt;
  const bool branches = head.name == "mgn";
  return recipe::make_plan(
      recipe::load_recipe(std::string(source_directory) + "/tests/e2e/tiny.toml",
                          {"backbone={type=\"" + backbone.name + "\", " + small.parameters + more + "}",
                           "head={type=\"" + head.name + "\"" +
                               (branches ? ", cut=\"" + small.cut + "\", reduced_dim=16" : std::string()) +
                               (clip ? ", grid=[6, 3]" : "") + "}"}),
      catalog);
}

/// Statistics and weights as a training leaves them: none of them 0 or 1.
inline void make_trained(torch::nn::Module& module) {
  const torch::NoGradGuard no_gradients;
  for (auto& item : module.named_buffers()) {
    if (!item.value().is_floating_point()) continue;
    if (item.key().ends_with("running_var")) item.value().uniform_(0.5, 2);
    if (item.key().ends_with("running_mean")) item.value().normal_(0, 0.2);
  }
  for (auto& item : module.named_parameters()) {
    if (item.value().dim() == 1) item.value().add_(torch::rand_like(item.value()) * 0.2);
  }
}

}  // namespace kindred::test
