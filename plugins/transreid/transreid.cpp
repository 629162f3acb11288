#include "transreid.h"

#include <torch/nn/init.h>

#include <cstddef>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/nn/batch_norm.h"
#include "kindred/role/backbone.h"

namespace kindred::transreid {

namespace {

constexpr const char* component = "head/transreid";
// A cut of "" leaves these to the branches: the last transformer block and the norm.
constexpr std::size_t blocks_of_a_branch = 2;

std::string cut_of(const Transreid::Params& params, const Backbone& backbone) {
  const auto blocks = backbone.blocks();
  if (!params.jpm) return blocks.back();
  if (!params.cut.empty()) return params.cut;
  if (blocks.size() > blocks_of_a_branch) return blocks[blocks.size() - 1 - blocks_of_a_branch];
  throw ComponentError(component,
                       "the backbone has too few blocks to begin branches before the last two; "
                       "set head.jpm = false");
}

}  // namespace

Schema<Transreid::Params> Transreid::schema() {
  Schema<Params> s(
      "Class token of the whole image and of shuffled parts of its patches, with batch-norm necks.",
      "He et al., TransReID, ICCV 2021, sections 3.1 and 3.2");
  s.add("jpm", &Params::jpm,
        "the jigsaw patch module: local vectors beside the global one; false: the paper's strong baseline");
  s.add("cut", &Params::cut,
        "block of the backbone after which global and local branch begin; '': before its last two, which in "
        "a vision transformer are the last transformer block and the norm");
  s.add("shift", &Params::shift, "the first shift - 1 patches are moved to the end, as in the published code")
      .range(1, 4096);
  s.add("shuffle_groups", &Params::shuffle_groups,
        "patches are divided into so many groups, of which then one each is taken in turn")
      .range(1, 64);
  s.add("parts", &Params::parts, "local vectors").range(1, 64);
  s.add("test_feature", &Params::test_feature,
        "where the descriptor is taken: before or after the batch norms",
        {{"before", TestFeature::before}, {"after", TestFeature::after}});
  s.rule([](const Params& params) -> std::string {
    if (params.jpm) return "";
    const Params standard;
    const auto* idle = !params.cut.empty()                                ? "cut"
                       : params.shift != standard.shift                   ? "shift"
                       : params.shuffle_groups != standard.shuffle_groups ? "shuffle_groups"
                       : params.parts != standard.parts                   ? "parts"
                                                                          : nullptr;
    return idle == nullptr ? "" : std::string(idle) + " has no effect with jpm = false; leave it out";
  });
  return s;
}

std::vector<WeightsLayout> Transreid::weights_layouts() {
  // model/make_model.py. "b1" and "b2" are a block and a norm, of networks with 12 blocks. Images to be
  // tested are resized by torchvision with PIL's bilinear filter (datasets/make_dataloader.py), and not
  // normalized as for ImageNet (configs).
  std::vector<std::string> settings = {"augmentation.resize.antialias=true",
                                       "augmentation.normalize.mean=[0.5,0.5,0.5]",
                                       "augmentation.normalize.std=[0.5,0.5,0.5]"};
  std::vector<RenameRule> rules = {{"bottleneck.*", "neck_global.*"},
                                   {"classifier.*", "classifier_global.*"}};
  WeightsLayout plain{.name = "TransReID",
                      .required = {"bottleneck.running_mean", "classifier.weight"},
                      .rules = rules,
                      .settings = settings};
  plain.settings.emplace_back("head.jpm=false");
  settings.emplace_back("head.jpm=true");
  rules.insert(rules.end(), {{"b1.0.*", "global_branch.blocks.11.*"},
                             {"b1.1.*", "global_branch.norm.*"},
                             {"b2.0.*", "local_branch.blocks.11.*"},
                             {"b2.1.*", "local_branch.norm.*"},
                             {"bottleneck_#.*", "neck_local#.*"},
                             {"classifier_#.*", "classifier_local#.*"}});
  return {{.name = "TransReID",
           .required = {"b1.0.norm1.weight", "b2.0.norm1.weight", "bottleneck.running_mean",
                        "bottleneck_#.running_mean"},
           .rules = std::move(rules),
           .settings = std::move(settings)},
          std::move(plain)};
}

Transreid::Transreid(const Params& params, const Context& context)
    : params_(params),
      dim_(context.backbone.channels()),
      identities_(context.identities),
      trunk_(context.backbone.trunk(cut_of(params, context.backbone))) {
  add_vector("global");
  if (!params.jpm) return;
  const auto cut = cut_of(params, context.backbone);
  global_branch_ = register_module("global_branch", context.backbone.copy_rest(cut, 1));
  local_branch_ = register_module("local_branch", context.backbone.copy_rest(cut, 1));
  for (std::int64_t i = 1; i <= params.parts; ++i) add_vector("local" + std::to_string(i));
}

void Transreid::add_vector(const std::string& name) {
  using namespace torch::nn;  // NOLINT
  Vector vector{name};
  vector.neck = register_module("neck_" + name, BatchNorm1d(dim_));
  vector.neck->bias.set_requires_grad(false);
  vector.classifier =
      register_module("classifier_" + name, Linear(LinearOptions(dim_, identities_).bias(false)));
  init::normal_(vector.classifier->weight, 0.0, 0.001);
  vectors_.push_back(std::move(vector));
}

std::vector<OutputInfo> Transreid::outputs() const {
  std::vector<OutputInfo> infos;
  for (const auto& vector : vectors_) infos.push_back({vector.name, OutputKind::feature, dim_});
  for (const auto& vector : vectors_) {
    infos.push_back({"logits." + vector.name, OutputKind::logits, identities_});
  }
  infos.push_back({"descriptor", OutputKind::feature, static_cast<std::int64_t>(vectors_.size()) * dim_});
  return infos;
}

torch::Tensor Transreid::shuffled(const torch::Tensor& patches) const {
  const auto count = patches.size(1);
  const auto moved = params_.shift - 1;
  if (count < 2 || moved > count || count < params_.parts) {
    throw ComponentError(component, "the images have " + std::to_string(count) +
                                        " patches, too few for shift = " + std::to_string(params_.shift) +
                                        " and parts = " + std::to_string(params_.parts) +
                                        "; use larger images, or lower these");
  }
  auto order = torch::cat({patches.narrow(1, moved, count - moved), patches.narrow(1, 0, moved)}, 1);
  // As published: the last but one once more.
  if (count % params_.shuffle_groups != 0) order = torch::cat({order, order.narrow(1, count - 2, 1)}, 1);
  if (order.size(1) % params_.shuffle_groups != 0) {
    throw ComponentError(component, std::to_string(count) + " patches do not divide into shuffle_groups = " +
                                        std::to_string(params_.shuffle_groups) + "; choose 2, or a divisor");
  }
  return order.view({order.size(0), params_.shuffle_groups, -1, order.size(2)}).transpose(1, 2).flatten(1, 2);
}

std::vector<torch::Tensor> Transreid::locals(const Activations& features) {
  const auto extra = features.grid->extra;
  const auto count = features.values.size(1) - extra;
  const auto order = shuffled(features.values.narrow(1, extra, count));
  const auto length = count / params_.parts;
  const auto token = features.values.narrow(1, 0, 1);
  // All parts in one batch.
  std::vector<torch::Tensor> parts;
  for (std::int64_t i = 0; i < params_.parts; ++i) {
    parts.push_back(torch::cat({token, order.narrow(1, i * length, length)}, 1));
  }
  Activations batch(torch::cat(parts, 0));
  batch.grid = TokenGrid{length, 1, 1};
  return local_branch_->propagate(batch).class_token().chunk(params_.parts, 0);
}

std::vector<torch::Tensor> Transreid::forward(const Activations& features) {
  if (is_training()) require_two_images(features, component);
  std::vector<torch::Tensor> outputs;
  if (params_.jpm) {
    outputs = locals(features);
    outputs.insert(outputs.begin(), global_branch_->propagate(features).class_token());
  } else {
    outputs = {features.class_token()};
  }
  const bool after = params_.test_feature == TestFeature::after;
  std::vector<torch::Tensor> tested;
  std::vector<torch::Tensor> logits;
  for (std::size_t i = 0; i < vectors_.size(); ++i) {
    torch::Tensor neck;
    if (is_training() || after) neck = vectors_[i].neck->forward(outputs[i]);
    if (is_training()) logits.push_back(vectors_[i].classifier->forward(neck));
    const auto& vector = after ? neck : outputs[i];
    tested.push_back(i == 0 ? vector : vector / static_cast<double>(params_.parts));
  }
  auto descriptor = torch::cat(tested, 1);
  if (!is_training()) return {descriptor};
  outputs.insert(outputs.end(), logits.begin(), logits.end());
  outputs.push_back(std::move(descriptor));
  return outputs;
}

}  // namespace kindred::transreid
