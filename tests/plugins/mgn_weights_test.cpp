// Other programs' weights of MGN.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "foreign_weights.h"
#include "mgn.h"
#include "resnet.h"
#include "se_resnet.h"

using namespace kindred;
using namespace kindred::test;

namespace {

const Catalog& catalog() {
  static const auto made = tiny_catalog_with([](Catalog& scratch) {
    scratch.add<resnet::Resnet>("resnet");
    scratch.add<se_resnet::SeResnet>("se_resnet");
    scratch.add<mgn::Mgn>("mgn");
  });
  return made;
}

const std::array<const char*, 8> parts = {"g1", "g2", "g3", "p2_0", "p2_1", "p3_0", "p3_1", "p3_2"};

/// "3.conv1.weight" -> 3, and "conv1.weight" stays.
std::int64_t take_off_number(std::string& name) {
  const auto dot = name.find('.');
  const auto number = std::stoll(name.substr(0, dot));
  name.erase(0, dot + 1);
  return number;
}

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
  const auto outcome = filled(catalog(), narrow_se_resnet, "{type='mgn',attention=true}", rename,
                              {"base.layer0.conv1.weight", "base.last_linear.weight"});
  CHECK(outcome.layout == "MGN on SE-ResNet (NAIC 2019)");
  CHECK(outcome.missing.empty());
  CHECK(outcome.unused == Names{"base.last_linear.weight", "base.layer0.conv1.weight"});
  CHECK(outcome.equal);
}

TEST_CASE("fast-reid's MGN fills the same network, whose classifiers then have no biases") {
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
        return std::string(heads[index_of(part)]) + "_head." + (old ? "classifier." : "") + name;
      }
      return "unexpected " + name;
    };
    const auto outcome = filled(catalog(), narrow_resnet, "{type='mgn',classifier_bias=false,first_stride=1}",
                                rename, {"pixel_mean", "pixel_std"});
    CHECK(outcome.layout == "fast-reid MGN");
    CHECK(outcome.missing.empty());
    CHECK(outcome.unused == Names{"pixel_mean", "pixel_std"});
    CHECK(outcome.equal);
  }
}

TEST_CASE("every rule of its layouts can be reached and says where a name goes") {
  check_rules(mgn::Mgn::weights_layouts());
}
