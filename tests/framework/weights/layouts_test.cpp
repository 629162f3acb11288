// Files as other programs name them, made up tensor by tensor, fill Kindred's own networks whole.
#include "weights/layouts.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/weights/real_components.h"
#include "model/model_file.h"
#include "weights/matching.h"

using namespace kindred;
using namespace kindred::weights;
using namespace kindred::test;

namespace {

using Rename = std::function<std::string(const std::string&)>;

const std::string resnet_table = "{type='resnet',depth=50,width_multiplier=0.125}";
const std::string se_resnet_table = "{type='se_resnet',depth=50,width_multiplier=0.125}";
const std::array<const char*, 8> parts = {"g1", "g2", "g3", "p2_0", "p2_1", "p3_0", "p3_1", "p3_2"};

bool take_off(std::string& name, const std::string& prefix) {
  if (name.rfind(prefix, 0) != 0) return false;
  name.erase(0, prefix.size());
  return true;
}

/// "3.conv1.weight" -> 3, and "conv1.weight" stays.
std::int64_t take_off_number(std::string& name) {
  const auto dot = name.find('.');
  const auto number = std::stoll(name.substr(0, dot));
  name.erase(0, dot + 1);
  return number;
}

/// A model's tensors under the names of another program, in a shuffled order, with some of no use besides.
WeightsFile foreign(const model::Model& model, const Rename& rename,
                    const std::vector<std::string>& useless) {
  WeightsFile file;
  file.file = "made.pth";
  for (const auto& [name, tensor] : model::module_tensors(model)) {
    const auto renamed = rename(name);
    if (!renamed.empty()) file.content.tensors.emplace_back(renamed, tensor.detach().clone());
  }
  for (const auto& name : useless) file.content.tensors.emplace_back(name, torch::ones({2}));
  std::reverse(file.content.tensors.begin(), file.content.tensors.end());
  return file;
}

struct Outcome {
  std::string layout;
  std::vector<std::string> unused;
  std::vector<std::string> missing;
  bool equal =
      true;  ///< every tensor that is not missing has the value of the model that the file was made of
};

Outcome filled(const recipe::Plan& plan, const Rename& rename, const std::vector<std::string>& useless = {}) {
  const auto source = model::build_model(plan, 4);
  auto other = plan;
  other.seed = plan.seed + 1;
  const auto target = model::build_model(other, 4);
  const auto file = foreign(*source, rename, useless);
  const auto weights = translate(file);
  const auto report = match_weights(weights, *target, "", {});
  copy_weights(weights, *target, "");
  Outcome outcome;
  outcome.layout = report.layout;
  std::set<std::string> missing;
  for (const auto& row : report.rows) {
    if (row.state == TensorState::unused) outcome.unused.push_back(row.name);
    if (row.state == TensorState::missing) missing.insert(row.name);
    CHECK((row.state != TensorState::wrong_shape && row.state != TensorState::wrong_type));
  }
  outcome.missing.assign(missing.begin(), missing.end());
  const auto expected = model::module_tensors(*source);
  const auto actual = model::module_tensors(*target);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (missing.count(expected[i].first) > 0) continue;
    outcome.equal = outcome.equal && torch::equal(expected[i].second, actual[i].second);
  }
  std::sort(outcome.unused.begin(), outcome.unused.end());
  return outcome;
}

using Names = std::vector<std::string>;

/// The parts of MGN that every program names in the same manner, behind their own names of the trunk.
std::string part_of(std::string& name, const std::string& prefix) {
  if (!take_off(name, prefix)) return "";
  for (const auto* part : parts) {
    if (take_off(name, std::string(part) + ".")) return part;
  }
  return "";
}

std::size_t index_of(const std::string& part) {
  return static_cast<std::size_t>(std::find(parts.begin(), parts.end(), part) - parts.begin());
}

}  // namespace

TEST_CASE("MGN on SE-ResNet as the competition's system saved it fills the same network, attention too") {
  const std::array<const char*, 8> classifiers = {"fc_id_2048_0",  "fc_id_2048_1",  "fc_id_2048_2",
                                                  "fc_id_256_1_0", "fc_id_256_1_1", "fc_id_256_2_0",
                                                  "fc_id_256_2_1", "fc_id_256_2_2"};
  const Rename rename = [&](std::string name) -> std::string {
    if (take_off(name, "backbone.layer0.")) return "backbone.0." + name;
    if (take_off(name, "backbone.layer1.")) return "backbone.1." + name;
    if (take_off(name, "backbone.layer2.")) return "backbone.2." + name;
    if (take_off(name, "backbone.layer3.0.")) return "backbone.3." + name;
    for (const std::string branch : {"1", "2", "3"}) {
      if (take_off(name, "head.branch" + branch + ".layer3.")) {
        const auto block = std::to_string(take_off_number(name) - 1);
        return "p" + branch + ".0." + block + "." + name;
      }
      if (take_off(name, "head.branch" + branch + ".layer4.")) return "p" + branch + ".1." + name;
    }
    if (take_off(name, "head.attention.0.")) return "feature_score.fc1." + name;
    if (take_off(name, "head.attention.2.")) return "feature_score.fc2." + name;
    if (const auto part = part_of(name, "head.reduction_"); !part.empty()) {
      const auto layer = take_off(name, "conv.") ? ".0." : (take_off(name, "bn."), ".1.");
      return "reduction_" + std::to_string(index_of(part)) + layer + name;
    }
    if (const auto part = part_of(name, "head.classifier_"); !part.empty()) {
      return std::string(classifiers[index_of(part)]) + "." + name;
    }
    return "unexpected " + name;
  };
  const auto outcome = filled(real_plan(se_resnet_table, "{type='mgn',attention=true}"), rename,
                              {"base.layer0.conv1.weight", "base.last_linear.weight"});
  CHECK(outcome.layout == "MGN on SE-ResNet (NAIC 2019)");
  CHECK(outcome.missing.empty());
  CHECK(outcome.unused == Names{"base.last_linear.weight", "base.layer0.conv1.weight"});
  CHECK(outcome.equal);
}

TEST_CASE("fast-reid's MGN fills the same network but for the classifiers' biases, which it has not") {
  const std::array<const char*, 8> heads = {"b1", "b2", "b3", "b21", "b22", "b31", "b32", "b33"};
  for (const bool old : {false, true}) {
    const Rename rename = [&](std::string name) -> std::string {
      if (take_off(name, "backbone.conv1.")) return "backbone.0." + name;
      if (take_off(name, "backbone.bn1.")) return "backbone.1." + name;
      if (take_off(name, "backbone.layer1.")) return "backbone.4." + name;
      if (take_off(name, "backbone.layer2.")) return "backbone.5." + name;
      if (take_off(name, "backbone.layer3.0.")) return "backbone.6." + name;
      for (const std::string branch : {"1", "2", "3"}) {
        if (take_off(name, "head.branch" + branch + ".layer3.")) {
          const auto block = std::to_string(take_off_number(name) - 1);
          return "b" + branch + ".0." + block + "." + name;
        }
        if (take_off(name, "head.branch" + branch + ".layer4.")) return "b" + branch + ".1." + name;
      }
      if (const auto part = part_of(name, "head.reduction_"); !part.empty()) {
        const auto layer = take_off(name, "conv.") ? "0." : (take_off(name, "bn."), "1.");
        return std::string(heads[index_of(part)]) + "_head.bottleneck." + layer + name;
      }
      if (const auto part = part_of(name, "head.classifier_"); !part.empty()) {
        if (name == "bias") return "";
        return std::string(heads[index_of(part)]) + "_head." + (old ? "classifier." : "") + name;
      }
      return "unexpected " + name;
    };
    const auto outcome = filled(real_plan(resnet_table, "{type='mgn'}"), rename, {"pixel_mean", "pixel_std"});
    CHECK(outcome.layout == "fast-reid MGN");
    CHECK(outcome.missing.size() == 8);
    CHECK(outcome.missing.front() == "head.classifier_g1.bias");
    CHECK(outcome.unused == Names{"pixel_mean", "pixel_std"});
    CHECK(outcome.equal);
  }
}

TEST_CASE("fast-reid's baseline fills a network with a batch-norm neck, in the names of all its versions") {
  struct Version {
    std::string layout;
    std::string neck;
    std::string classifier;
  };
  for (const auto& version :
       {Version{"fast-reid baseline", "heads.bottleneck.0.", "heads."},
        Version{"fast-reid baseline", "heads.bottleneck.0.", "heads.classifier."},
        Version{"fast-reid baseline before v1.0", "heads.bnneck.", "heads.classifier."}}) {
    const Rename rename = [&](std::string name) -> std::string {
      if (take_off(name, "head.neck.")) return version.neck + name;
      if (take_off(name, "head.classifier.")) return version.classifier + name;
      if (name == "head.pooling.p") return "heads.pool_layer.p";
      return name;
    };
    const auto outcome =
        filled(real_plan(resnet_table, "{type='bnneck',pooling='gem'}"), rename, {"pixel_mean"});
    CHECK(outcome.layout == version.layout);
    CHECK(outcome.missing.empty());
    CHECK(outcome.unused == Names{"pixel_mean"});
    CHECK(outcome.equal);
  }
}

TEST_CASE("fast-reid's baseline with an embedding fills a network with a reduction ahead of the neck") {
  const Rename rename = [&](std::string name) -> std::string {
    if (take_off(name, "head.reduction.")) return "heads.bottleneck.0." + name;
    if (take_off(name, "head.neck.")) return "heads.bottleneck.1." + name;
    if (take_off(name, "head.classifier.")) return "heads." + name;
    return name;
  };
  const auto outcome = filled(real_plan(resnet_table, "{type='bnneck',reduced_dim=32}"), rename);
  CHECK(outcome.layout == "fast-reid baseline with an embedding");
  CHECK(outcome.missing.empty());
  CHECK(outcome.equal);
}

TEST_CASE("reid-strong-baseline fills a network with a batch-norm neck, on both its backbones") {
  for (const auto& backbone : {resnet_table, se_resnet_table}) {
    const Rename rename = [&](std::string name) -> std::string {
      if (take_off(name, "backbone.")) return "base." + name;
      if (take_off(name, "head.neck.")) return "bottleneck." + name;
      if (take_off(name, "head.classifier.")) return "classifier." + name;
      return "unexpected " + name;
    };
    const auto outcome = filled(real_plan(backbone, "{type='bnneck'}"), rename);
    CHECK(outcome.layout == "reid-strong-baseline");
    CHECK(outcome.missing.empty());
    CHECK(outcome.unused.empty());
    CHECK(outcome.equal);
  }
}

TEST_CASE("public backbones fill the backbone, and their classifiers of ImageNet are of no use") {
  struct Public {
    std::string backbone;
    std::string layout;
    std::vector<std::string> useless;
  };
  for (const auto& file :
       {Public{resnet_table, "ResNet (torchvision, torchreid)", {"fc.bias", "fc.weight"}},
        Public{"{type='resnet',depth=18,width_multiplier=0.125}",
               "ResNet (torchvision, torchreid)",
               {"fc.bias", "fc.weight"}},
        Public{
            se_resnet_table, "SE-ResNet (Cadene, torchreid)", {"last_linear.bias", "last_linear.weight"}}}) {
    const Rename rename = [](std::string name) -> std::string {
      return take_off(name, "backbone.") ? name : "";
    };
    const auto outcome = filled(real_plan(file.backbone, "{type='bnneck'}"), rename, file.useless);
    CHECK(outcome.layout == file.layout);
    CHECK(outcome.unused == file.useless);
    CHECK(std::all_of(outcome.missing.begin(), outcome.missing.end(),
                      [](const auto& name) { return name.rfind("head.", 0) == 0; }));
    CHECK(outcome.equal);
  }
}

TEST_CASE("the classifier of a torchreid file is known as one") {
  const auto* layout = recognise_layout({{{"conv1.weight", torch::ones(1)},
                                          {"bn1.running_mean", torch::ones(1)},
                                          {"layer1.0.conv1.weight", torch::ones(1)},
                                          {"classifier.weight", torch::ones(1)}},
                                         {}});
  REQUIRE(layout != nullptr);
  CHECK(translated(*layout, "classifier.weight") == "head.classifier.weight");
  CHECK(translated(*layout, "fc.weight") == std::nullopt);
}

TEST_CASE("Kindred's own files keep their names, and checkpoints hold them behind a prefix") {
  const Rename same = [](const std::string& name) { return name; };
  const Rename in_checkpoint = [](const std::string& name) { return "model." + name; };
  for (const auto* head : {"{type='mgn'}", "{type='bnneck'}"}) {
    const auto outcome = filled(real_plan(resnet_table, head), same);
    CHECK(outcome.layout == "Kindred");
    CHECK(outcome.missing.empty());
    CHECK(outcome.unused.empty());
    CHECK(outcome.equal);
    const auto checkpoint = filled(real_plan(resnet_table, head), in_checkpoint, {"optimizer.0.momentum"});
    CHECK(checkpoint.layout == "Kindred checkpoint");
    CHECK(checkpoint.missing.empty());
    CHECK(checkpoint.unused == Names{"optimizer.0.momentum"});
    CHECK(checkpoint.equal);
  }
}

TEST_CASE("names of no known layout are Kindred's own, or else the backbone's") {
  const auto named = [](const std::string& name) {
    WeightsFile file;
    file.content.tensors = {{name, torch::ones(1)}};
    const auto weights = translate(file);
    CHECK(weights.layout == nullptr);
    return weights.tensors.at(0).name;
  };
  CHECK(named("block.weight") == "backbone.block.weight");
  CHECK(named("head.weight") == "head.weight");
}

TEST_CASE("two tensors that would have one name are an error") {
  WeightsFile file;
  file.file = "twice.pth";
  for (const auto* name : {"backbone.conv1.weight", "heads.bottleneck.0.running_mean", "heads.weight",
                           "heads.classifier.weight"}) {
    file.content.tensors.emplace_back(name, torch::ones(1));
  }
  CHECK_THROWS_WITH_AS(
      static_cast<void>(translate(file)),
      "twice.pth: error: its tensors 'heads.weight' and 'heads.classifier.weight' would both be "
      "'head.classifier.weight'",
      DataError);
}

TEST_CASE("every rule of every layout can be reached and says where a name goes") {
  for (const auto& layout : weights_layouts()) {
    CAPTURE(layout.name);
    CHECK_FALSE(layout.required.empty());
    for (const auto& rule : layout.rules) {
      std::string name;
      for (const char c : rule.from) name += c == '#' ? "7" : c == '*' ? "rest" : std::string(1, c);
      std::string wanted(rule.to);
      if (const auto at = wanted.find("#+1"); at != std::string::npos) wanted.replace(at, 3, "8");
      if (const auto at = wanted.find('#'); at != std::string::npos) wanted.replace(at, 1, "7");
      if (const auto at = wanted.find('*'); at != std::string::npos) wanted.replace(at, 1, "rest");
      CHECK(translated(layout, name) == wanted);
    }
  }
}
