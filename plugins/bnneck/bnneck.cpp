#include "bnneck.h"

#include <torch/nn/init.h>

#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/nn/batch_norm.h"
#include "kindred/role/backbone.h"

namespace kindred::bnneck {

Schema<Bnneck::Params> Bnneck::schema() {
  Schema<Params> s("One pooled vector with a batch-norm neck before the classifier.",
                   "Luo et al., CVPRW 2019, section 3.5");
  auto choices = pooling_choices();
  choices.emplace_back("class_token", PoolingKind::class_token);
  s.add("pooling", &Params::pooling,
        "how the feature map, or the grid of tokens, is pooled to a vector; 'class_token': that of a vision "
        "transformer instead",
        std::move(choices));
  s.add("gem_exponent", &Params::gem_exponent,
        "fixed exponent of the generalized mean, as AGW has it: 3; none: it is learned from 3")
      .above(0);
  s.add("reduced_dim", &Params::reduced_dim,
        "length of the descriptor, set by a 1x1 convolution after the pooling; 0: no convolution, as many as "
        "the backbone's channels")
      .range(0, 65536)
      .formerly("reduced_width");
  s.add("test_feature", &Params::test_feature,
        "where the descriptor is taken: after or before the batch norm",
        {{"neck", TestFeature::neck}, {"global", TestFeature::global}});
  s.rule([](const Params& params) { return wrong_gem_exponent(params.pooling, params.gem_exponent); });
  return s;
}

std::vector<WeightsLayout> Bnneck::weights_layouts() {
  std::vector<WeightsLayout> layouts;
  const auto resize = std::vector<std::string>{"augmentation.resize.antialias=true"};
  // fast-reid, modeling/heads/embedding_head.py: with EMBEDDING_DIM the bottleneck is a convolution and a
  // batch norm, without it a batch norm alone; before v1.0 it had another name. The classifier is
  // "heads.weight", before v1.1 "heads.classifier.weight". A fixed exponent of the pooling is not in the
  // file; of the configurations with non-local blocks AGW has it, and SBS a learned one. Images are scaled by
  // PIL's bicubic filter (data/transforms/build.py).
  struct Pooled {
    std::string required;
    std::vector<std::string> settings;
    std::string note;
  };
  const std::vector<Pooled> pooled = {
      {"heads.pool_layer.p", {"head.pooling='gem'"}, ""},
      {"backbone.NL_2.0.theta.weight",
       {"head.pooling='gem'", "head.gem_exponent=3"},
       "non-local blocks without a learned exponent of the pooling are AGW's, which pools with the exponent "
       "3"},
      {"heads.*",
       {},
       "the file does not say how it pools: POOL_LAYER of its configuration is head.pooling, 'avg' unless "
       "the recipe says otherwise"}};
  const auto fast_reid = [&](const std::string& found_by, const std::vector<RenameRule>& rules) {
    for (const auto& pooling : pooled) {
      WeightsLayout layout{.name = "fast-reid baseline",
                           .note = pooling.note,
                           .required = {found_by, pooling.required},
                           .rules = rules,
                           .dropped = {"pixel_mean", "pixel_std"},
                           .settings = resize};
      layout.rules.insert(layout.rules.end(), {{"heads.weight", "classifier.weight"},
                                               {"heads.classifier.*", "classifier.*"},
                                               {"heads.pool_layer.p", "pooling.p"}});
      layout.settings.push_back("augmentation.resize.interpolation='cubic'");
      layout.settings.insert(layout.settings.end(), pooling.settings.begin(), pooling.settings.end());
      layouts.push_back(std::move(layout));
    }
  };
  fast_reid("heads.bottleneck.1.running_mean",
            {{"heads.bottleneck.0.*", "reduction.*"}, {"heads.bottleneck.1.*", "neck.*"}});
  fast_reid("heads.bottleneck.0.running_mean", {{"heads.bottleneck.0.*", "neck.*"}});
  fast_reid("heads.bnneck.running_mean", {{"heads.bnneck.*", "neck.*"}});
  // reid-strong-baseline, modeling/baseline.py; torchvision's Resize of PIL's images is bilinear.
  layouts.push_back({.name = "reid-strong-baseline",
                     .required = {"bottleneck.running_mean"},
                     .rules = {{"bottleneck.*", "neck.*"}, {"classifier.*", "classifier.*"}},
                     .settings = {"augmentation.resize.antialias=true", "head.pooling='avg'"}});
  // SOLIDER-REID, model/make_model.py and configs; test images are scaled bilinearly.
  layouts.push_back({.name = "SOLIDER-REID",
                     .required = {"bottleneck.running_mean"},
                     .rules = {{"bottleneck.*", "neck.*"}, {"classifier.*", "classifier.*"}},
                     .settings = {"augmentation.resize.antialias=true", "head.pooling='avg'",
                                  "head.test_feature='global'", "augmentation.normalize.mean=[0.5,0.5,0.5]",
                                  "augmentation.normalize.std=[0.5,0.5,0.5]"}});
  // TransReID without the jigsaw patch module, model/make_model.py and configs.
  layouts.push_back({.name = "TransReID",
                     .required = {"bottleneck.running_mean", "classifier.weight"},
                     .rules = {{"bottleneck.*", "neck.*"}, {"classifier.*", "classifier.*"}},
                     .settings = {"augmentation.resize.antialias=true", "head.pooling='class_token'",
                                  "head.test_feature='global'", "augmentation.normalize.mean=[0.5,0.5,0.5]",
                                  "augmentation.normalize.std=[0.5,0.5,0.5]"}});
  return layouts;
}

Bnneck::Bnneck(const Params& params, const Context& context)
    : test_feature_(params.test_feature),
      dim_(params.reduced_dim > 0 ? params.reduced_dim : context.backbone.channels()),
      identities_(context.identities),
      trunk_(context.backbone.trunk(context.backbone.blocks().back())) {
  using namespace torch::nn;  // NOLINT
  if (params.pooling != PoolingKind::class_token) {
    pooling_ = register_module(
        "pooling", std::make_shared<Pooling>(params.pooling, 1, GemExponent{params.gem_exponent}));
  } else if (context.backbone.gives() != FeatureForm::tokens) {
    throw ComponentError("head/bnneck",
                         "pooling = 'class_token' needs a backbone with tokens, such as 'vit', but this one "
                         "gives a map; set head.pooling = 'avg', 'max' or 'gem'");
  }
  if (params.reduced_dim > 0) {
    reduction_ =
        register_module("reduction", Conv2d(Conv2dOptions(context.backbone.channels(), dim_, 1).bias(false)));
    init::kaiming_normal_(reduction_->weight, 0.0, torch::kFanOut);
  }
  neck_ = register_module("neck", BatchNorm1d(dim_));
  neck_->bias.set_requires_grad(false);
  classifier_ = register_module("classifier", Linear(LinearOptions(dim_, identities_).bias(false)));
  init::normal_(classifier_->weight, 0.0, 0.001);
}

std::vector<OutputInfo> Bnneck::outputs() const {
  return {{"global", OutputKind::feature, dim_},
          {"neck", OutputKind::feature, dim_},
          {"logits", OutputKind::logits, identities_},
          {"descriptor", OutputKind::feature, dim_}};
}

std::vector<torch::Tensor> Bnneck::forward(const Activations& features) {
  if (is_training()) require_two_images(features, "head/bnneck");
  auto pooled = pooling_ == nullptr ? features.class_token().unsqueeze(-1).unsqueeze(-1)
                                    : pooling_->forward(features.map());
  if (!reduction_.is_empty()) pooled = reduction_->forward(pooled);
  const auto global = pooled.flatten(1);
  const bool use_neck = test_feature_ == TestFeature::neck;
  if (!is_training()) return {use_neck ? neck_->forward(global) : global};
  const auto neck = neck_->forward(global);
  return {global, neck, classifier_->forward(neck), use_neck ? neck : global};
}

}  // namespace kindred::bnneck
