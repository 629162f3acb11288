#include "clip_reid.h"

#include <torch/nn/init.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "attention_pool.h"
#include "clip_layouts.h"
#include "kindred/core/error.h"
#include "kindred/nn/batch_norm.h"
#include "kindred/role/backbone.h"

namespace kindred::clip {
namespace {

constexpr const char* reid_component = "head/clip_reid";

/// [N, C] -> [N, dim]: one tensor, "weight" [C, dim].
class Projection final : public TensorModule {
 public:
  Projection(std::int64_t channels, std::int64_t dim)
      : weight_(register_parameter("weight", torch::empty({channels, dim}))) {
    torch::nn::init::normal_(weight_, 0.0, 1 / std::sqrt(static_cast<double>(channels)));
  }
  torch::Tensor forward(const torch::Tensor& features) override { return torch::matmul(features, weight_); }

 private:
  torch::Tensor weight_;
};

/// "layer4." of "layer4.2"; "" without a dot.
std::string stage_of(const std::string& block) {
  const auto dot = block.rfind('.');
  return dot == std::string::npos ? "" : block.substr(0, dot + 1);
}

/// The block before the last block of a transformer or the last stage of a residual network.
std::string cut_of(const std::string& asked, const Backbone& backbone) {
  if (!asked.empty()) return asked;
  const auto blocks = backbone.blocks();
  auto last = blocks.rbegin();
  if (backbone.gives() == FeatureForm::tokens) {
    last = std::find_if(last, blocks.rend(), [](const std::string& name) { return !stage_of(name).empty(); });
    if (last != blocks.rend()) ++last;
  } else {
    const auto stage = stage_of(*last);
    last = stage.empty() ? blocks.rend() : std::find_if(last, blocks.rend(), [&](const std::string& name) {
      return !name.starts_with(stage);
    });
  }
  if (last == blocks.rend()) {
    throw ComponentError(reid_component,
                         "cannot tell after which block of this backbone to take the first feature; set cut, "
                         "to one of " +
                             quoted_list(blocks));
  }
  return *last;
}

/// How many channels the trunk's maps have: the backbone says it of its last block alone.
std::int64_t channels_of(NetworkPart& trunk) {
  const torch::NoGradGuard no_grad;
  const bool training = trunk.is_training();
  trunk.eval();
  const auto channels = trunk.propagate(Activations(torch::zeros({1, 3, 128, 64}))).values.size(1);
  trunk.train(training);
  return channels;
}

torch::Tensor pooled(const Activations& features) {
  return features.form() == FeatureForm::tokens ? features.class_token() : features.values.mean({2, 3});
}

torch::nn::BatchNorm1d neck_of(std::int64_t dim) {
  torch::nn::BatchNorm1d neck(dim);
  neck->bias.set_requires_grad(false);
  return neck;
}

torch::nn::Linear classifier_of(std::int64_t dim, std::int64_t identities) {
  torch::nn::Linear classifier(torch::nn::LinearOptions(dim, identities).bias(false));
  torch::nn::init::normal_(classifier->weight, 0.0, 0.001);
  return classifier;
}

}  // namespace

Schema<ClipReid::Params> ClipReid::schema() {
  Schema<Params> s(
      "Features before and after CLIP's projection, each with a batch-norm neck before its classifier.",
      "Li et al., AAAI 2023, section 3.3");
  s.add("cut", &Params::cut,
        "block of the backbone after which the first of the three features is taken; \"\": the one before a "
        "transformer's last block or a residual network's last stage");
  s.add("projected_dim", &Params::projected_dim,
        "length of the projected feature: 512 for CLIP's ViT-B and RN101, 768 for ViT-L, 1024 for RN50")
      .range(1, 65536);
  s.add("grid", &Params::grid,
        "rows and columns of the backbone's last map, of which attention pooling knows the places; not used "
        "with tokens")
      .range(1, 4096)
      .length(2);
  s.add("last_stride", &Params::last_stride,
        "stride of a residual network's last stage; not used with transformers")
      .range(1, 2);
  s.add("test_feature", &Params::test_feature,
        "where the two halves of the descriptor are taken: before or after the batch norms",
        {{"global", TestFeature::global}, {"neck", TestFeature::neck}});
  return s;
}

std::vector<WeightsLayout> ClipReid::weights_layouts() {
  return head_layouts();
}

ClipReid::ClipReid(const Params& params, const Context& context)
    : test_feature_(params.test_feature),
      identities_(context.identities),
      dim_(context.backbone.channels()),
      projected_dim_(params.projected_dim) {
  const auto cut = cut_of(params.cut, context.backbone);
  const bool tokens = context.backbone.gives() == FeatureForm::tokens;
  trunk_ = context.backbone.trunk(cut);
  penultimate_dim_ = tokens ? dim_ : channels_of(*trunk_);
  rest_ = register_module("rest", context.backbone.copy_rest(cut, params.last_stride));
  if (tokens) {
    projection_ = register_module("projection", std::make_shared<Projection>(dim_, projected_dim_));
  } else {
    projection_ = register_module(
        "projection",
        std::make_shared<AttentionPool>(dim_, projected_dim_, params.grid.at(0), params.grid.at(1)));
  }
  neck_ = register_module("neck", neck_of(dim_));
  neck_projected_ = register_module("neck_projected", neck_of(projected_dim_));
  classifier_ = register_module("classifier", classifier_of(dim_, identities_));
  classifier_projected_ = register_module("classifier_projected", classifier_of(projected_dim_, identities_));
}

std::vector<OutputInfo> ClipReid::outputs() const {
  return {{"penultimate", OutputKind::feature, penultimate_dim_},
          {"global", OutputKind::feature, dim_},
          {"projected", OutputKind::feature, projected_dim_},
          {"neck", OutputKind::feature, dim_},
          {"neck.projected", OutputKind::feature, projected_dim_},
          {"logits", OutputKind::logits, identities_},
          {"logits.projected", OutputKind::logits, identities_},
          {"descriptor", OutputKind::feature, dim_ + projected_dim_}};
}

std::vector<torch::Tensor> ClipReid::forward(const Activations& features) {
  if (is_training()) require_two_images(features, reid_component);
  const auto last = rest_->propagate(features);
  const auto global = pooled(last);
  const auto projected = projection_->forward(last.form() == FeatureForm::tokens ? global : last.values);
  const bool use_necks = test_feature_ == TestFeature::neck;
  if (!is_training()) {
    if (!use_necks) return {torch::cat({global, projected}, 1)};
    return {torch::cat({neck_->forward(global), neck_projected_->forward(projected)}, 1)};
  }
  const auto neck = neck_->forward(global);
  const auto neck_projected = neck_projected_->forward(projected);
  const auto descriptor =
      use_necks ? torch::cat({neck, neck_projected}, 1) : torch::cat({global, projected}, 1);
  return {pooled(features),
          global,
          projected,
          neck,
          neck_projected,
          classifier_->forward(neck),
          classifier_projected_->forward(neck_projected),
          descriptor};
}

}  // namespace kindred::clip
