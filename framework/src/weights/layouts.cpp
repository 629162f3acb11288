#include "weights/layouts.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace kindred::weights {
namespace {

constexpr std::string_view fast_reid_note =
    "the ResNet of fast-reid needs stem_pooling = 'rounded_up'; if it has non-local or SE blocks (unused "
    "'NL_*' and 'se.*'), the outputs differ";

/// What '#' and '*' stood for.
struct Captured {
  std::int64_t number = 0;
  std::string_view rest;
};

std::optional<Captured> match(std::string_view form, std::string_view name) {
  Captured captured;
  while (!form.empty()) {
    if (form == "*") {
      captured.rest = name;
      return captured;
    }
    if (form.front() == '#') {
      const auto result = std::from_chars(name.data(), name.data() + name.size(), captured.number);
      if (result.ec != std::errc() || captured.number < 0 || captured.number > 9999) return std::nullopt;
      name.remove_prefix(static_cast<std::size_t>(result.ptr - name.data()));
    } else {
      if (name.empty() || name.front() != form.front()) return std::nullopt;
      name.remove_prefix(1);
    }
    form.remove_prefix(1);
  }
  return name.empty() ? std::optional<Captured>(captured) : std::nullopt;
}

std::string filled(std::string_view form, const Captured& captured) {
  std::string name;
  while (!form.empty()) {
    if (form.starts_with("#+1")) {
      name += std::to_string(captured.number + 1);
      form.remove_prefix(3);
      continue;
    }
    if (form.front() == '#') {
      name += std::to_string(captured.number);
    } else if (form.front() == '*') {
      name += captured.rest;
    } else {
      name += form.front();
    }
    form.remove_prefix(1);
  }
  return name;
}

}  // namespace

const std::vector<WeightsLayout>& weights_layouts() {
  static const std::vector<WeightsLayout> layouts = {
      // Three branches of MGN as the repositories after ReID-MGN have it, here on the trunk of an SE-ResNet:
      // trunk layer0, layer1, layer2, layer3.0; branches layer3.1.. and layer4. "base.*" is the network that
      // the branches were copied from.
      {"MGN on SE-ResNet (NAIC 2019)",
       {"backbone.0.conv1.weight", "p1.0.#.*", "reduction_0.0.weight"},
       {{"backbone.0.*", "backbone.layer0.*"},
        {"backbone.1.*", "backbone.layer1.*"},
        {"backbone.2.*", "backbone.layer2.*"},
        {"backbone.3.*", "backbone.layer3.0.*"},
        {"p1.0.#.*", "head.branch1.layer3.#+1.*"},
        {"p1.1.*", "head.branch1.layer4.*"},
        {"p2.0.#.*", "head.branch2.layer3.#+1.*"},
        {"p2.1.*", "head.branch2.layer4.*"},
        {"p3.0.#.*", "head.branch3.layer3.#+1.*"},
        {"p3.1.*", "head.branch3.layer4.*"},
        {"reduction_0.0.*", "head.reduction_g1.conv.*"},
        {"reduction_0.1.*", "head.reduction_g1.bn.*"},
        {"reduction_1.0.*", "head.reduction_g2.conv.*"},
        {"reduction_1.1.*", "head.reduction_g2.bn.*"},
        {"reduction_2.0.*", "head.reduction_g3.conv.*"},
        {"reduction_2.1.*", "head.reduction_g3.bn.*"},
        {"reduction_3.0.*", "head.reduction_p2_0.conv.*"},
        {"reduction_3.1.*", "head.reduction_p2_0.bn.*"},
        {"reduction_4.0.*", "head.reduction_p2_1.conv.*"},
        {"reduction_4.1.*", "head.reduction_p2_1.bn.*"},
        {"reduction_5.0.*", "head.reduction_p3_0.conv.*"},
        {"reduction_5.1.*", "head.reduction_p3_0.bn.*"},
        {"reduction_6.0.*", "head.reduction_p3_1.conv.*"},
        {"reduction_6.1.*", "head.reduction_p3_1.bn.*"},
        {"reduction_7.0.*", "head.reduction_p3_2.conv.*"},
        {"reduction_7.1.*", "head.reduction_p3_2.bn.*"},
        {"fc_id_2048_0.*", "head.classifier_g1.*"},
        {"fc_id_2048_1.*", "head.classifier_g2.*"},
        {"fc_id_2048_2.*", "head.classifier_g3.*"},
        {"fc_id_256_1_0.*", "head.classifier_p2_0.*"},
        {"fc_id_256_1_1.*", "head.classifier_p2_1.*"},
        {"fc_id_256_2_0.*", "head.classifier_p3_0.*"},
        {"fc_id_256_2_1.*", "head.classifier_p3_1.*"},
        {"fc_id_256_2_2.*", "head.classifier_p3_2.*"},
        {"feature_score.fc1.*", "head.attention.0.*"},
        {"feature_score.fc2.*", "head.attention.2.*"}},
       ""},

      // fast-reid, fastreid/modeling/meta_arch/mgn.py: trunk conv1, bn1, (ReLU, pooling), layer1, layer2,
      // layer3.0. The classifier is "b1_head.weight", before v1.1 "b1_head.classifier.weight".
      {"fast-reid MGN",
       {"backbone.0.weight", "b1.0.#.*", "b1_head.bottleneck.0.weight"},
       {{"backbone.0.*", "backbone.conv1.*"},
        {"backbone.1.*", "backbone.bn1.*"},
        {"backbone.4.*", "backbone.layer1.*"},
        {"backbone.5.*", "backbone.layer2.*"},
        {"backbone.6.*", "backbone.layer3.0.*"},
        {"b1.0.#.*", "head.branch1.layer3.#+1.*"},
        {"b1.1.*", "head.branch1.layer4.*"},
        {"b2.0.#.*", "head.branch2.layer3.#+1.*"},
        {"b2.1.*", "head.branch2.layer4.*"},
        {"b3.0.#.*", "head.branch3.layer3.#+1.*"},
        {"b3.1.*", "head.branch3.layer4.*"},
        {"b1_head.bottleneck.0.*", "head.reduction_g1.conv.*"},
        {"b1_head.bottleneck.1.*", "head.reduction_g1.bn.*"},
        {"b1_head.weight", "head.classifier_g1.weight"},
        {"b1_head.classifier.*", "head.classifier_g1.*"},
        {"b1_head.pool_layer.p", "head.pool_g1.p"},
        {"b2_head.bottleneck.0.*", "head.reduction_g2.conv.*"},
        {"b2_head.bottleneck.1.*", "head.reduction_g2.bn.*"},
        {"b2_head.weight", "head.classifier_g2.weight"},
        {"b2_head.classifier.*", "head.classifier_g2.*"},
        {"b2_head.pool_layer.p", "head.pool_g2.p"},
        {"b3_head.bottleneck.0.*", "head.reduction_g3.conv.*"},
        {"b3_head.bottleneck.1.*", "head.reduction_g3.bn.*"},
        {"b3_head.weight", "head.classifier_g3.weight"},
        {"b3_head.classifier.*", "head.classifier_g3.*"},
        {"b3_head.pool_layer.p", "head.pool_g3.p"},
        {"b21_head.bottleneck.0.*", "head.reduction_p2_0.conv.*"},
        {"b21_head.bottleneck.1.*", "head.reduction_p2_0.bn.*"},
        {"b21_head.weight", "head.classifier_p2_0.weight"},
        {"b21_head.classifier.*", "head.classifier_p2_0.*"},
        {"b22_head.bottleneck.0.*", "head.reduction_p2_1.conv.*"},
        {"b22_head.bottleneck.1.*", "head.reduction_p2_1.bn.*"},
        {"b22_head.weight", "head.classifier_p2_1.weight"},
        {"b22_head.classifier.*", "head.classifier_p2_1.*"},
        {"b31_head.bottleneck.0.*", "head.reduction_p3_0.conv.*"},
        {"b31_head.bottleneck.1.*", "head.reduction_p3_0.bn.*"},
        {"b31_head.weight", "head.classifier_p3_0.weight"},
        {"b31_head.classifier.*", "head.classifier_p3_0.*"},
        {"b32_head.bottleneck.0.*", "head.reduction_p3_1.conv.*"},
        {"b32_head.bottleneck.1.*", "head.reduction_p3_1.bn.*"},
        {"b32_head.weight", "head.classifier_p3_1.weight"},
        {"b32_head.classifier.*", "head.classifier_p3_1.*"},
        {"b33_head.bottleneck.0.*", "head.reduction_p3_2.conv.*"},
        {"b33_head.bottleneck.1.*", "head.reduction_p3_2.bn.*"},
        {"b33_head.weight", "head.classifier_p3_2.weight"},
        {"b33_head.classifier.*", "head.classifier_p3_2.*"}},
       "the ResNet of fast-reid needs stem_pooling = 'rounded_up'; its classifiers have no bias; its "
       "generalized mean pooling has an exponent for each stripe, that of Kindred one for all stripes of a "
       "branch"},

      // fast-reid, meta_arch/baseline.py with heads/embedding_head.py: with EMBEDDING_DIM the bottleneck is a
      // convolution and a batch norm, without it a batch norm alone. The classifier is "heads.weight", before
      // v1.1 "heads.classifier.weight".
      {"fast-reid baseline with an embedding",
       {"backbone.conv1.weight", "heads.bottleneck.1.running_mean"},
       {{"backbone.*", "backbone.*"},
        {"heads.bottleneck.0.*", "head.reduction.*"},
        {"heads.bottleneck.1.*", "head.neck.*"},
        {"heads.weight", "head.classifier.weight"},
        {"heads.classifier.*", "head.classifier.*"},
        {"heads.pool_layer.p", "head.pooling.p"}},
       fast_reid_note},
      {"fast-reid baseline",
       {"backbone.conv1.weight", "heads.bottleneck.0.running_mean"},
       {{"backbone.*", "backbone.*"},
        {"heads.bottleneck.0.*", "head.neck.*"},
        {"heads.weight", "head.classifier.weight"},
        {"heads.classifier.*", "head.classifier.*"},
        {"heads.pool_layer.p", "head.pooling.p"}},
       fast_reid_note},
      // The same before September 2020.
      {"fast-reid baseline before v1.0",
       {"backbone.conv1.weight", "heads.bnneck.running_mean"},
       {{"backbone.*", "backbone.*"},
        {"heads.bnneck.*", "head.neck.*"},
        {"heads.classifier.*", "head.classifier.*"},
        {"heads.pool_layer.p", "head.pooling.p"}},
       fast_reid_note},

      // reid-strong-baseline, modeling/baseline.py.
      {"reid-strong-baseline",
       {"base.*", "bottleneck.running_mean"},
       {{"base.*", "backbone.*"}, {"bottleneck.*", "head.neck.*"}, {"classifier.*", "head.classifier.*"}},
       "its ResNet needs stem_relu = false: it has no ReLU after the first convolution"},

      // Cadene's pretrained-models, senet.py; torchreid's senet.py has the same and a classifier.
      {"SE-ResNet (Cadene, torchreid)",
       {"layer0.conv1.weight", "layer1.0.se_module.fc1.weight"},
       {{"layer#.*", "backbone.layer#.*"}, {"classifier.*", "head.classifier.*"}},
       ""},

      // torchvision's resnet.py, "fc" the classifier of ImageNet; torchreid's resnet.py has the same names
      // and
      // a classifier of identities.
      {"ResNet (torchvision, torchreid)",
       {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight"},
       {{"conv1.*", "backbone.conv1.*"},
        {"bn1.*", "backbone.bn1.*"},
        {"layer#.*", "backbone.layer#.*"},
        {"classifier.*", "head.classifier.*"}},
       ""},

      // Kindred's own, and inside its checkpoints.
      {"Kindred", {"backbone.*", "head.*"}, {{"backbone.*", "backbone.*"}, {"head.*", "head.*"}}, ""},
      {"Kindred checkpoint",
       {"model.backbone.*", "model.head.*"},
       {{"model.backbone.*", "backbone.*"}, {"model.head.*", "head.*"}},
       ""},
  };
  return layouts;
}

const WeightsLayout* recognise_layout(const file::TensorFile& content) {
  const auto has = [&](std::string_view form) {
    return std::any_of(content.tensors.begin(), content.tensors.end(),
                       [&](const auto& entry) { return match(form, entry.first).has_value(); });
  };
  for (const auto& layout : weights_layouts()) {
    if (std::all_of(layout.required.begin(), layout.required.end(), has)) return &layout;
  }
  return nullptr;
}

std::optional<std::string> translated(const WeightsLayout& layout, std::string_view name) {
  for (const auto& rule : layout.rules) {
    if (const auto captured = match(rule.from, name)) return filled(rule.to, *captured);
  }
  return std::nullopt;
}

}  // namespace kindred::weights
