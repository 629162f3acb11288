// Other programs' weights of BNNeck, and of the backbones that they have it on.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bnneck.h"
#include "fc_head.h"
#include "foreign_weights.h"
#include "osnet.h"
#include "resnet.h"
#include "resnet_ibn.h"
#include "se_resnet.h"
#include "se_resnext.h"

using namespace kindred;
using namespace kindred::test;

namespace {

const Catalog& catalog() {
  static const auto made = tiny_catalog_with([](Catalog& scratch) {
    scratch.add<osnet::Osnet>("osnet");
    scratch.add<resnet::Resnet>("resnet");
    scratch.add<resnet_ibn::ResnetIbn>("resnet_ibn");
    scratch.add<se_resnet::SeResnet>("se_resnet");
    scratch.add<se_resnext::SeResnext>("se_resnext");
    scratch.add<bnneck::Bnneck>("bnneck");
    scratch.add<fc::FcHead>("fc");
  });
  return made;
}

}  // namespace

TEST_CASE("fast-reid's baseline fills a network with a batch-norm neck, in the names of all its versions") {
  struct Version {
    std::string neck;
    std::string classifier;
  };
  for (const auto& version :
       {Version{"heads.bottleneck.0.", "heads."}, Version{"heads.bottleneck.0.", "heads.classifier."},
        Version{"heads.bnneck.", "heads.classifier."}}) {
    const Rename rename = [&](std::string name) -> std::string {
      if (take_off(name, "head.neck.")) return version.neck + name;
      if (take_off(name, "head.classifier.")) return version.classifier + name;
      if (name == "head.pooling.p") return "heads.pool_layer.p";
      return name;
    };
    const auto outcome =
        filled(catalog(), narrow_resnet, "{type='bnneck',pooling='gem'}", rename, {"pixel_mean"});
    CHECK(outcome.layout == "fast-reid baseline");
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
  const auto outcome = filled(catalog(), narrow_resnet, "{type='bnneck',reduced_dim=32}", rename);
  CHECK(outcome.layout == "fast-reid baseline");
  CHECK(outcome.missing.empty());
  CHECK(outcome.equal);
}

TEST_CASE("reid-strong-baseline fills a network with a batch-norm neck, on both its backbones") {
  for (const auto& backbone : {narrow_resnet, narrow_se_resnet}) {
    const Rename rename = [&](std::string name) -> std::string {
      if (take_off(name, "backbone.")) return "base." + name;
      if (take_off(name, "head.neck.")) return "bottleneck." + name;
      if (take_off(name, "head.classifier.")) return "classifier." + name;
      return "unexpected " + name;
    };
    const auto outcome = filled(catalog(), backbone, "{type='bnneck'}", rename);
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
    Names useless;
  };
  for (const auto& file :
       {Public{narrow_resnet, "torchvision", {"fc.bias", "fc.weight"}},
        Public{"{type='resnet',depth=18,width_multiplier=0.125}", "torchvision", {"fc.bias", "fc.weight"}},
        Public{"{type='resnet_ibn',width_multiplier=0.125}", "torchvision", {"fc.bias", "fc.weight"}},
        Public{narrow_se_resnet, "pretrained-models (Cadene)", {"last_linear.bias", "last_linear.weight"}},
        Public{"{type='se_resnext',width_multiplier=0.25}",
               "pretrained-models (Cadene)",
               {"last_linear.bias", "last_linear.weight"}},
        Public{"{type='osnet',width_multiplier=0.25,last_stride=2}",
               "torchreid",
               {"fc.0.bias", "fc.0.weight"}}}) {
    const Rename rename = [](std::string name) -> std::string {
      return take_off(name, "backbone.") ? name : "";
    };
    const auto outcome = filled(catalog(), file.backbone, "{type='bnneck'}", rename, file.useless);
    CHECK(outcome.layout == file.layout);
    CHECK(outcome.unused == file.useless);
    CHECK(std::all_of(outcome.missing.begin(), outcome.missing.end(),
                      [](const auto& name) { return name.starts_with("head."); }));
    CHECK(outcome.equal);
  }
}

TEST_CASE("a torchreid file without fc fills the head without a layer, on each of its backbones") {
  for (const std::string backbone : {"resnet", "resnet_ibn", "se_resnet", "osnet"}) {
    const Rename rename = [](std::string name) -> std::string {
      if (take_off(name, "backbone.")) return name;
      return take_off(name, "head.classifier.") ? "classifier." + name : "";
    };
    const auto outcome = filled(catalog(), "{type='" + backbone + "',width_multiplier=0.25,last_stride=2}",
                                "{type='fc',dim=0}", rename);
    CHECK(outcome.layout == "torchreid");
    CHECK(outcome.unused.empty());
    CHECK(outcome.missing.empty());
    CHECK(outcome.equal);
  }
}

TEST_CASE("reid-strong-baseline's ResNet wants another stem, its IBN-a and its SE-ResNet do not") {
  const auto demands_of = [](const std::vector<WeightsLayout>& layouts) {
    const auto found = std::find_if(layouts.begin(), layouts.end(),
                                    [](const auto& layout) { return layout.name == "reid-strong-baseline"; });
    REQUIRE(found != layouts.end());
    return found->settings;
  };
  CHECK(demands_of(resnet::Resnet::weights_layouts()) ==
        Names{"backbone.stem_pooling='padded'", "backbone.stem_relu=false"});
  CHECK(demands_of(resnet_ibn::ResnetIbn::weights_layouts()) == Names{"backbone.stem_pooling='padded'"});
  CHECK(demands_of(se_resnet::SeResnet::weights_layouts()) == Names{"backbone.stem_pooling='rounded_up'"});
}

TEST_CASE("fast-reid's head drops no tensor of the network: what has no place stays without one") {
  const Rename rename = [&](std::string name) -> std::string {
    if (take_off(name, "head.neck.")) return "heads.bottleneck.0." + name;
    if (take_off(name, "head.classifier.")) return "heads." + name;
    return name;
  };
  const auto outcome =
      filled(catalog(), narrow_resnet, "{type='bnneck'}", rename, {"backbone.layer1.0.se.fc.0.weight"});
  CHECK(outcome.layout == "fast-reid baseline");
  CHECK(outcome.unused == Names{"backbone.layer1.0.se.fc.0.weight"});
}

TEST_CASE("every rule of the layouts can be reached and says where a name goes") {
  check_rules(bnneck::Bnneck::weights_layouts());
  check_rules(osnet::Osnet::weights_layouts());
  check_rules(resnet::Resnet::weights_layouts());
  check_rules(se_resnet::SeResnet::weights_layouts());
}
