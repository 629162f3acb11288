#include "mgn.h"

#include <torch/nn/init.h>
#include <torch/nn/modules/activation.h>

#include <array>
#include <cstddef>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/nn/batch_norm.h"
#include "kindred/role/backbone.h"

namespace kindred::mgn {

namespace {

constexpr std::int64_t branch_count = 3;
constexpr std::int64_t attention_width = 128;
constexpr const char* component = "head/mgn";

constexpr std::array<const char*, 8> part_names = {"g1", "g2", "g3", "p2_0", "p2_1", "p3_0", "p3_1", "p3_2"};

// "1.5" for 3 rows wanted of 2.
std::string times(std::int64_t wanted, std::int64_t given) {
  const auto tenths = (wanted * 10 + given - 1) / given;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10));
}

ComponentError cut_too_late(const std::string& cut, std::int64_t rows) {
  return {component, "first_stride = 2 has no effect: behind the cut '" + cut +
                         "' the backbone does not downsample any more, so all branches have maps of " +
                         std::to_string(rows) + " rows; cut before its last stage, or set first_stride = 1"};
}

using PartNames = std::array<std::string, part_names.size()>;

/// What the programs' layouts have in common.
/// @param reductions, classifiers what the file calls those of each part
/// @param branch ahead of a branch's number
WeightsLayout layout_of(std::string program, const PartNames& reductions, const PartNames& classifiers,
                        const std::string& branch) {
  WeightsLayout layout{.name = std::move(program)};
  const auto rename = [&](const std::string& from, const std::string& to) {
    layout.rules.push_back({from, to});
  };
  for (std::size_t i = 0; i < part_names.size(); ++i) {
    const std::string part = part_names[i];
    rename(reductions[i] + ".0.*", "reduction_" + part + ".conv.*");
    rename(reductions[i] + ".1.*", "reduction_" + part + ".bn.*");
    rename(classifiers[i] + ".*", "classifier_" + part + ".*");
  }
  for (std::int64_t i = 1; i <= branch_count; ++i) {
    const auto number = std::to_string(i);
    rename(branch + number + ".0.#.*", "branch" + number + ".layer3.#+1.*");
    rename(branch + number + ".1.*", "branch" + number + ".layer4.*");
  }
  layout.required = {branch + "1.0.#.*", reductions.front() + ".0.weight"};
  return layout;
}

// fast-reid, modeling/meta_arch/mgn.py. The classifier is "b1_head.weight", before v1.1
// "b1_head.classifier.weight". LAST_STRIDE, which its configurations set to 1, is that of the first branch.
// Images are scaled by PIL's bicubic filter.
WeightsLayout fast_reid_layout() {
  PartNames reductions = {"b1", "b2", "b3", "b21", "b22", "b31", "b32", "b33"};
  PartNames classifiers = reductions;
  for (auto& name : reductions) name += "_head.bottleneck";
  for (auto& name : classifiers) name += "_head.classifier";
  auto layout = layout_of("fast-reid MGN", reductions, classifiers, "b");
  layout.note =
      "its classifiers have no ReLU ahead of them; where 3 does not divide the rows of the last map (images "
      "of "
      "384 rows: 24) its thirds do not overlap, but the last is shorter";
  layout.settings = {"head.first_stride=1", "head.classifier_bias=false",
                     "augmentation.resize.antialias=true", "augmentation.resize.interpolation='cubic'"};
  for (std::size_t i = 0; i < part_names.size(); ++i) {
    const auto head = classifiers[i].substr(0, classifiers[i].rfind('.'));
    layout.rules.push_back({head + ".weight", std::string("classifier_") + part_names[i] + ".weight"});
    // "p_0" of the stripes "p2", and "p" of "g2".
    const std::string part = part_names[i];
    const auto tensor = part[0] == 'g' ? part + ".p" : part.substr(0, 2) + ".p_" + part.substr(3);
    layout.rules.push_back({head + ".pool_layer.p", "pool_" + tensor});
  }
  layout.dropped = {"pixel_mean", "pixel_std"};
  return layout;
}

// As the repositories after ReID-MGN have it.
WeightsLayout naic_layout() {
  PartNames reductions;
  for (std::size_t i = 0; i < reductions.size(); ++i) reductions[i] = "reduction_" + std::to_string(i);
  auto layout = layout_of("MGN on SE-ResNet (NAIC 2019)", reductions,
                          {"fc_id_2048_0", "fc_id_2048_1", "fc_id_2048_2", "fc_id_256_1_0", "fc_id_256_1_1",
                           "fc_id_256_2_0", "fc_id_256_2_1", "fc_id_256_2_2"},
                          "p");
  layout.rules.push_back({"feature_score.fc1.*", "attention.0.*"});
  layout.rules.push_back({"feature_score.fc2.*", "attention.2.*"});
  layout.settings = {"head.first_stride=2", "head.pooling='max'", "augmentation.resize.antialias=true"};
  return layout;
}

}  // namespace

Schema<Mgn::Params> Mgn::schema() {
  Schema<Params> s("Three branches of different granularity: whole body, halves and thirds.",
                   "Wang et al., ACM MM 2018");
  s.add("cut", &Params::cut,
        "block of the backbone after which the branches begin; must be before the last stage, whose stride "
        "the branches set");
  s.add("reduced_dim", &Params::reduced_dim,
        "length of each of the 8 vectors; the descriptor is 8 times as long")
      .range(1, 65536)
      .formerly("reduced_width");
  s.add("first_stride", &Params::first_stride,
        "stride of the last stage in the first branch, whose map has no stripes; 1 for weights of fast-reid")
      .range(1, 2);
  s.add("pooling", &Params::pooling, "how feature maps and stripes are pooled to vectors", pooling_choices());
  s.add("gem_exponent", &Params::gem_exponent,
        "fixed exponent of the generalized mean; none: it is learned from 3")
      .above(0);
  s.add("exponent_per_stripe", &Params::exponent_per_stripe,
        "with pooling = 'gem', each stripe learns an exponent of its own, not all stripes of a branch one");
  s.add("classifier_bias", &Params::classifier_bias, "the classifiers have a bias");
  s.add("attention", &Params::attention,
        "scale the 8 vectors by weights in (0, 1) computed from the three global vectors");
  s.rule([](const Params& params) { return wrong_gem_exponent(params.pooling, params.gem_exponent); });
  s.rule([](const Params& params) -> std::string {
    const bool learned = params.pooling == PoolingKind::gem && !params.gem_exponent;
    return params.exponent_per_stripe && !learned
               ? "exponent_per_stripe needs pooling = 'gem' without gem_exponent"
               : "";
  });
  return s;
}

std::vector<WeightsLayout> Mgn::weights_layouts() {
  auto learned = fast_reid_layout();
  learned.required.emplace_back("b21_head.pool_layer.p");
  learned.settings.insert(learned.settings.end(), {"head.pooling='gem'", "head.exponent_per_stripe=true"});
  auto other = fast_reid_layout();
  other.note += "; the file does not say how it pools: POOL_LAYER of its configuration is head.pooling";
  auto attentive = naic_layout();
  attentive.required.emplace_back("feature_score.fc1.weight");
  attentive.settings.emplace_back("head.attention=true");
  return {learned, other, attentive, naic_layout()};
}

Mgn::Mgn(const Params& params, const Context& context)
    : cut_(params.cut),
      first_stride_(params.first_stride),
      reduced_dim_(params.reduced_dim),
      identities_(context.identities),
      trunk_(context.backbone.trunk(params.cut)) {
  for (std::int64_t number = 1; number <= branch_count; ++number) {
    add_branch(number, number, params, context);
  }
  for (const auto* name : part_names) add_part(name, params, context);
  if (params.attention) add_attention(context.backbone.channels());
}

void Mgn::add_branch(std::int64_t number, std::int64_t stripes, const Params& params,
                     const Context& context) {
  const auto name = std::to_string(number);
  const std::int64_t last_stride = number == 1 ? params.first_stride : 1;
  const auto pooling = [&](std::int64_t count, bool per_stripe) {
    return std::make_shared<Pooling>(params.pooling, count, GemExponent{params.gem_exponent, per_stripe});
  };
  Branch branch{register_module("branch" + name, context.backbone.copy_rest(params.cut, last_stride)),
                register_module("pool_g" + name, pooling(1, false)), nullptr, stripes};
  if (stripes > 1) {
    branch.stripes = register_module("pool_p" + name, pooling(stripes, params.exponent_per_stripe));
  }
  branches_.push_back(std::move(branch));
}

void Mgn::add_part(const std::string& name, const Params& params, const Context& context) {
  using namespace torch::nn;  // NOLINT
  Part part{name};
  part.conv = Conv2d(Conv2dOptions(context.backbone.channels(), reduced_dim_, 1).bias(false));
  init::kaiming_normal_(part.conv->weight, 0.0, torch::kFanIn);
  part.norm = BatchNorm2d(reduced_dim_);
  init::normal_(part.norm->weight, 1.0, 0.02);
  part.classifier = Linear(LinearOptions(reduced_dim_, identities_).bias(params.classifier_bias));
  init::kaiming_normal_(part.classifier->weight, 0.0, torch::kFanOut);
  if (params.classifier_bias) init::zeros_(part.classifier->bias);
  register_module("reduction_" + name, Sequential({{"conv", part.conv}, {"bn", part.norm}}));
  register_module("classifier_" + name, part.classifier);
  parts_.push_back(std::move(part));
}

void Mgn::add_attention(std::int64_t channels) {
  using namespace torch::nn;  // NOLINT
  attention_ = register_module(
      "attention", Sequential(Conv2d(Conv2dOptions(branch_count * channels, attention_width, 1)), ReLU(),
                              Conv2d(Conv2dOptions(attention_width, part_names.size(), 1)), Sigmoid()));
}

std::vector<OutputInfo> Mgn::outputs() const {
  std::vector<OutputInfo> infos;
  for (const auto& part : parts_) infos.push_back({part.name, OutputKind::feature, reduced_dim_});
  for (const auto& part : parts_) infos.push_back({"logits." + part.name, OutputKind::logits, identities_});
  infos.push_back(
      {"descriptor", OutputKind::feature, static_cast<std::int64_t>(parts_.size()) * reduced_dim_});
  return infos;
}

std::vector<torch::Tensor> Mgn::pool(const Activations& trunk_features) {
  std::vector<torch::Tensor> global;
  std::vector<torch::Tensor> stripes;
  std::int64_t first_rows = 0;
  for (const auto& branch : branches_) {
    const auto activations = branch.rest->propagate(trunk_features);
    const auto features = activations.map();
    const auto rows = features.size(2);
    if (rows < branch.stripe_count) {
      throw ComponentError(component, "the last feature map of the backbone has " + std::to_string(rows) +
                                          " rows, too few for " + std::to_string(branch.stripe_count) +
                                          " stripes; make the images at least " +
                                          times(branch.stripe_count, rows) + " times as tall");
    }
    if (first_rows == 0) {
      first_rows = rows;
    } else if (is_training() && first_stride_ == 2 && rows == first_rows && !activations.grid) {
      throw cut_too_late(cut_, rows);  // tokens have no last stride
    }
    global.push_back(branch.global->forward(features));
    if (branch.stripes == nullptr) continue;
    const auto pooled = branch.stripes->forward(features);
    for (std::int64_t i = 0; i < branch.stripe_count; ++i) stripes.push_back(pooled.narrow(2, i, 1));
  }
  global.insert(global.end(), stripes.begin(), stripes.end());
  return global;
}

std::vector<torch::Tensor> Mgn::reduce(const std::vector<torch::Tensor>& pooled) {
  std::vector<torch::Tensor> reduced;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    auto& part = parts_[i];
    reduced.push_back(part.norm->forward(part.conv->forward(pooled[i])).flatten(1));
  }
  if (!attention_.is_empty()) {
    const auto global = torch::cat({pooled[0], pooled[1], pooled[2]}, 1);
    const auto weights = attention_->forward(global).flatten(1);
    for (std::size_t i = 0; i < reduced.size(); ++i) {
      reduced[i] = reduced[i] * weights.narrow(1, static_cast<std::int64_t>(i), 1);
    }
  }
  return reduced;
}

std::vector<torch::Tensor> Mgn::forward(const Activations& features) {
  if (is_training()) require_two_images(features, component);
  auto outputs = reduce(pool(features));
  auto descriptor = torch::cat(outputs, 1);
  if (!is_training()) return {descriptor};
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    outputs.push_back(parts_[i].classifier->forward(outputs[i].relu()));
  }
  outputs.push_back(std::move(descriptor));
  return outputs;
}

}  // namespace kindred::mgn
