#include "fc_head.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>

#include "kindred/nn/batch_norm.h"
#include "kindred/role/backbone.h"

namespace kindred::fc {
namespace {

torch::nn::Linear make_linear(std::int64_t in, std::int64_t out) {
  torch::nn::Linear linear(in, out);
  torch::nn::init::normal_(linear->weight, 0.0, 0.01);
  torch::nn::init::zeros_(linear->bias);
  return linear;
}

}  // namespace

Schema<FcHead::Params> FcHead::schema() {
  Schema<Params> s(
      "One pooled vector, as it is or after a fully connected layer with batch norm and ReLU: the head of "
      "OSNet and of torchreid's networks.",
      "Zhou et al., ICCV 2019, table 1");
  s.add("pooling", &Params::pooling, "how the feature map is pooled to a vector", pooling_choices());
  s.add("gem_exponent", &Params::gem_exponent,
        "fixed exponent of the generalized mean; none: it is learned from 3")
      .above(0);
  s.add("dim", &Params::dim,
        "length of the descriptor, the output of the fully connected layer; 0: no layer, the descriptor is "
        "the "
        "pooled vector")
      .range(0, 65536)
      .also_called({"feature_dim", "fc_dims", "embedding_dim", "reduced_dim"});
  s.rule([](const Params& params) { return wrong_gem_exponent(params.pooling, params.gem_exponent); });
  return s;
}

std::vector<WeightsLayout> FcHead::weights_layouts() {
  // torchreid/models/resnet.py, senet.py, resnet_ibn_a.py, osnet.py; images are scaled by torchvision's
  // Resize of PIL's images, bilinear (data/transforms.py). The last stride is each network's own.
  return {{.name = "torchreid",
           .required = {"fc.0.weight", "fc.1.running_mean", "classifier.bias"},
           .rules = {{"fc.*", "fc.*"}, {"classifier.*", "classifier.*"}},
           .settings = {"augmentation.resize.antialias=true", "head.pooling='avg'"}},
          {.name = "torchreid",
           .required = {"classifier.weight", "classifier.bias"},
           .rules = {{"classifier.*", "classifier.*"}},
           .settings = {"augmentation.resize.antialias=true", "head.pooling='avg'", "head.dim=0"}}};
}

FcHead::FcHead(const Params& params, const Context& context)
    : dim_(params.dim > 0 ? params.dim : context.backbone.channels()),
      identities_(context.identities),
      trunk_(context.backbone.trunk(context.backbone.blocks().back())),
      pooling_(register_module(
          "pooling", std::make_shared<Pooling>(params.pooling, 1, GemExponent{params.gem_exponent}))) {
  if (params.dim > 0) {
    fc_ = register_module("fc", torch::nn::Sequential(make_linear(context.backbone.channels(), dim_),
                                                      torch::nn::BatchNorm1d(dim_), torch::nn::ReLU()));
  }
  classifier_ = register_module("classifier", make_linear(dim_, identities_));
}

std::vector<OutputInfo> FcHead::outputs() const {
  return {{"feature", OutputKind::feature, dim_},
          {"logits", OutputKind::logits, identities_},
          {"descriptor", OutputKind::feature, dim_}};
}

std::vector<torch::Tensor> FcHead::forward(const Activations& features) {
  if (!fc_.is_empty() && is_training()) require_two_images(features, "head/fc");
  auto feature = pooling_->forward(features.map()).flatten(1);
  if (!fc_.is_empty()) feature = fc_->forward(feature);
  if (!is_training()) return {feature};
  return {feature, classifier_->forward(feature), feature};
}

}  // namespace kindred::fc
