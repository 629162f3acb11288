#include "bnneck.h"

#include <torch/nn/init.h>

#include <utility>

#include "kindred/core/error.h"
#include "kindred/role/backbone.h"

namespace kindred::bnneck {

Schema<Bnneck::Params> Bnneck::schema() {
  Schema<Params> s("One pooled vector with a batch-norm neck before the classifier.",
                   "Luo et al., CVPRW 2019, section 3.5");
  s.add("pooling", &Params::pooling, "how the feature map is pooled to a vector", pooling_choices());
  s.add("reduced_dim", &Params::reduced_dim,
        "length of the descriptor, set by a 1x1 convolution after the pooling; 0: no convolution, as many as "
        "the backbone's channels")
      .range(0, 65536)
      .formerly("reduced_width");
  s.add("test_feature", &Params::test_feature,
        "where the descriptor is taken: after or before the batch norm",
        {{"neck", TestFeature::neck}, {"global", TestFeature::global}});
  return s;
}

std::vector<WeightsLayout> Bnneck::weights_layouts() {
  // fast-reid, modeling/heads/embedding_head.py: with EMBEDDING_DIM the bottleneck is a convolution and a
  // batch norm, without it a batch norm alone; before v1.0 it had another name. The classifier is
  // "heads.weight", before v1.1 "heads.classifier.weight".
  const auto fast_reid = [](const char* found_by, std::vector<RenameRule> rules) {
    rules.insert(rules.end(), {{"heads.weight", "classifier.weight"},
                               {"heads.classifier.*", "classifier.*"},
                               {"heads.pool_layer.p", "pooling.p"}});
    return WeightsLayout{.name = "fast-reid baseline",
                         .required = {found_by},
                         .rules = std::move(rules),
                         .dropped = {"pixel_mean", "pixel_std"}};
  };
  return {
      fast_reid("heads.bottleneck.1.running_mean",
                {{"heads.bottleneck.0.*", "reduction.*"}, {"heads.bottleneck.1.*", "neck.*"}}),
      fast_reid("heads.bottleneck.0.running_mean", {{"heads.bottleneck.0.*", "neck.*"}}),
      fast_reid("heads.bnneck.running_mean", {{"heads.bnneck.*", "neck.*"}}),
      {.name = "reid-strong-baseline",
       .required = {"bottleneck.running_mean"},
       .rules = {{"bottleneck.*", "neck.*"}, {"classifier.*", "classifier.*"}}},
      {.name = "torchreid", .required = {"classifier.weight"}, .rules = {{"classifier.*", "classifier.*"}}}};
}

Bnneck::Bnneck(const Params& params, const Context& context)
    : test_feature_(params.test_feature),
      dim_(params.reduced_dim > 0 ? params.reduced_dim : context.backbone.channels()),
      identities_(context.identities),
      trunk_(context.backbone.trunk(context.backbone.blocks().back())),
      pooling_(register_module("pooling", std::make_shared<Pooling>(params.pooling))) {
  using namespace torch::nn;  // NOLINT
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
  if (is_training() && features.values.size(0) < 2) {
    throw ComponentError("head/bnneck",
                         "batch normalization needs at least 2 images in a training batch, but this one has "
                         "1; use larger batches");
  }
  auto pooled = pooling_->forward(features.map());
  if (!reduction_.is_empty()) pooled = reduction_->forward(pooled);
  const auto global = pooled.flatten(1);
  const bool use_neck = test_feature_ == TestFeature::neck;
  if (!is_training()) return {use_neck ? neck_->forward(global) : global};
  const auto neck = neck_->forward(global);
  return {global, neck, classifier_->forward(neck), use_neck ? neck : global};
}

}  // namespace kindred::bnneck
