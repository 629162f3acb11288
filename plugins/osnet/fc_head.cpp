#include "fc_head.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>

#include "kindred/core/error.h"
#include "kindred/role/backbone.h"

namespace kindred::osnet {
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
      "One pooled vector and a fully connected layer with batch norm and ReLU: OSNet's own head.",
      "Zhou et al., ICCV 2019, table 1");
  s.add("pooling", &Params::pooling, "how the feature map is pooled to a vector", pooling_choices());
  s.add("dim", &Params::dim, "length of the descriptor, the output of the fully connected layer")
      .range(1, 65536)
      .also_called({"feature_dim", "fc_dims", "embedding_dim", "reduced_dim"});
  return s;
}

std::vector<WeightsLayout> FcHead::weights_layouts() {
  return {{.name = "torchreid",
           .required = {"fc.0.weight", "fc.1.running_mean"},
           .rules = {{"fc.*", "fc.*"}, {"classifier.*", "classifier.*"}}}};
}

FcHead::FcHead(const Params& params, const Context& context)
    : dim_(params.dim),
      identities_(context.identities),
      trunk_(context.backbone.trunk(context.backbone.blocks().back())),
      pooling_(register_module("pooling", std::make_shared<Pooling>(params.pooling))) {
  fc_ = register_module("fc", torch::nn::Sequential(make_linear(context.backbone.channels(), dim_),
                                                    torch::nn::BatchNorm1d(dim_), torch::nn::ReLU()));
  classifier_ = register_module("classifier", make_linear(dim_, identities_));
}

std::vector<OutputInfo> FcHead::outputs() const {
  return {{"feature", OutputKind::feature, dim_},
          {"logits", OutputKind::logits, identities_},
          {"descriptor", OutputKind::feature, dim_}};
}

std::vector<torch::Tensor> FcHead::forward(const Activations& features) {
  if (is_training() && features.values.size(0) < 2) {
    throw ComponentError("head/fc",
                         "batch normalization needs at least 2 images in a training batch, but this one has "
                         "1; use larger batches");
  }
  const auto feature = fc_->forward(pooling_->forward(features.map()).flatten(1));
  if (!is_training()) return {feature};
  return {feature, classifier_->forward(feature), feature};
}

}  // namespace kindred::osnet
