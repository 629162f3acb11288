// The two networks of tests/golden/weights/make_weights.py as components: two stages, an eighth of the
// channels.
#pragma once

#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "golden/golden_model.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/residual_component.h"
#include "tiny_components.h"

namespace kindred::test {

class SmallResnet final : public ResidualNetwork {
 public:
  struct Params {
    StemPooling stem_pooling = StemPooling::padded;
    bool stem_relu = true;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Two stages of basic blocks.");
    s.add("stem_pooling", &Params::stem_pooling, "first pooling",
          {{"padded", StemPooling::padded}, {"rounded_up", StemPooling::rounded_up}});
    s.add("stem_relu", &Params::stem_relu, "first ReLU");
    return s;
  }
  static std::vector<WeightsLayout> weights_layouts() {
    return residual_weights_layouts(ResidualStem::torchvision);
  }
  SmallResnet(const Params& params, const Context&)
      : ResidualNetwork({.block = ResidualBlock::basic,
                         .stem_pooling = params.stem_pooling,
                         .stem_relu = params.stem_relu,
                         .stages = {1, 1},
                         .width_multiplier = 0.125}) {}
};

class SmallSeResnet final : public ResidualNetwork {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Two stages of bottlenecks."); }
  static std::vector<WeightsLayout> weights_layouts() {
    return residual_weights_layouts(ResidualStem::layer0);
  }
  SmallSeResnet(const Params&, const Context&)
      : ResidualNetwork({.stem = ResidualStem::layer0,
                         .stages = {1, 1},
                         .last_stride = 2,
                         .width_multiplier = 0.125,
                         .se_reduction = 16,
                         .stride_in_first = true}) {}
};

/// Two copies of the backbone's last stage; the descriptor is the flattened map of the first.
class SmallBranches : public Head {
 public:
  struct Params {
    std::string cut = "layer1.0";
  };
  static Schema<Params> schema() {
    Schema<Params> s("Two branches.");
    s.add("cut", &Params::cut, "where they begin");
    return s;
  }
  SmallBranches(const Params& params, const Context& context)
      : trunk_(context.backbone.trunk(params.cut)),
        channels_(context.backbone.channels()),
        identities_(context.identities),
        first_(register_module("first", context.backbone.copy_rest(params.cut, 2))),
        second_(register_module("second", context.backbone.copy_rest(params.cut, 1))),
        classifier_(register_module("classifier", torch::nn::Linear(channels_, identities_))) {}
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"logits", OutputKind::logits, identities_}, {"descriptor", OutputKind::feature, channels_}};
  }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    const auto feature = first_->propagate(features).map();
    if (!is_training()) return {feature.flatten(1)};
    const auto pooled = feature.mean({2, 3}) + second_->propagate(features).map().mean({2, 3});
    return {classifier_->forward(pooled), pooled};
  }

 private:
  std::shared_ptr<NetworkPart> trunk_;
  std::int64_t channels_;
  std::int64_t identities_;
  std::shared_ptr<NetworkPart> first_;
  std::shared_ptr<NetworkPart> second_;
  torch::nn::Linear classifier_;
};

inline const Catalog& small_catalog() {
  static const Catalog catalog = [] {
    auto made = tiny_catalog();
    Catalog scratch;
    scratch.add<SmallResnet>("small_resnet");
    scratch.add<SmallSeResnet>("small_se_resnet");
    scratch.add<SmallBranches>("small_branches");
    made.merge(std::move(scratch), "small", "small.so");
    return made;
  }();
  return catalog;
}

inline std::string golden_weights(const std::string& name) {
  return std::string(golden_directory) + "/weights/" + name + ".pth";
}

/// A recipe whose head takes copies of the backbone.
inline recipe::Plan small_plan(const std::string& backbone, const std::vector<std::string>& more = {}) {
  std::vector<std::string> overrides = {"backbone={type='" + backbone + "'}", "head={type='small_branches'}",
                                        "loss=[{type='entropy',on=['logits']}]"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return recipe::make_plan(recipe::parse_recipe(tiny_recipe, "tiny.toml", overrides), small_catalog());
}

/// x[n, c, h, w] = sin(0.05 h + 0.11 w + 1.7 c + 0.9 n), [2, 3, 32, 16]
inline torch::Tensor small_images() {
  const auto axis = [](std::int64_t size, double factor) {
    return torch::arange(size, torch::kFloat64) * factor;
  };
  const auto sum = axis(2, 0.9).view({2, 1, 1, 1}) + axis(3, 1.7).view({1, 3, 1, 1}) +
                   axis(32, 0.05).view({1, 1, 32, 1}) + axis(16, 0.11).view({1, 1, 1, 16});
  return sum.sin().to(torch::kFloat32);
}

/// What PyTorch gives for them: the map of the network's last stage.
inline torch::Tensor pytorch_map(const std::string& network) {
  const auto json = golden_json("weights/expected.json")[network];
  return torch::tensor(json["values"].get<std::vector<double>>(), torch::kFloat64)
      .view(json["shape"].get<std::vector<std::int64_t>>())
      .to(torch::kFloat32);
}

}  // namespace kindred::test
