// Layouts of whole files, composed of what made-up components declare.
#include "weights/layouts.h"

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "tiny_components.h"
#include "weights/matching.h"

using namespace kindred;
using namespace kindred::weights;
using namespace kindred::test;

namespace {

using Names = std::vector<std::string>;

/// A backbone that two programs know, and one of them with a head.
class NamedBackbone : public TinyBackbone {
 public:
  using TinyBackbone::TinyBackbone;
  static std::vector<WeightsLayout> weights_layouts() {
    return {{.name = "whole",
             .note = "wants a stem",
             .required = {"net.first.weight", "top.*"},
             .rules = {{"net.first.*", "first.*"}, {"net.block.#.*", "second.#+1.*"}},
             .dropped = {"old.*"}},
            {.name = "alone",
             .required = {"first.weight"},
             .rules = {{"first.*", "first.*"}},
             .dropped = {"fc.*"}}};
  }
};

/// The same program's names for tensors that it calls otherwise.
class OtherBackbone : public TinyBackbone {
 public:
  using TinyBackbone::TinyBackbone;
  static std::vector<WeightsLayout> weights_layouts() {
    return {{.name = "alone",
             .required = {"first.weight"},
             .rules = {{"first.*", "other.*"}},
             .dropped = {"fc.*"}}};
  }
};

class NamedHead : public TinyHead {
 public:
  using TinyHead::TinyHead;
  static std::vector<WeightsLayout> weights_layouts() {
    return {{.name = "whole",
             .note = "wants a bias",
             .required = {"top.fc.weight"},
             .rules = {{"top.fc.weight", "classifier.weight"}, {"top.linear.*", "classifier.*"}}},
            {.name = "elsewhere", .required = {"top.*"}, .rules = {{"top.*", "classifier.*"}}}};
  }
};

const Catalog& catalog() {
  static const Catalog made = [] {
    auto catalog = tiny_catalog();
    catalog.add<OtherBackbone>("a_other");
    catalog.add<NamedBackbone>("named");
    catalog.add<NamedHead>("named");
    return catalog;
  }();
  return made;
}

WeightsFile file_of(const Names& names) {
  WeightsFile file;
  file.file = "made.pth";
  for (const auto& name : names) file.content.tensors.emplace_back(name, torch::ones(1));
  return file;
}

std::string layout_of(const TranslatedWeights& weights) {
  return weights.layout ? weights.layout->name : "";
}

/// Kindred's name of each tensor.
Names translated_names(const TranslatedWeights& weights) {
  Names names;
  for (const auto& entry : weights.tensors) names.push_back(entry.name);
  return names;
}

}  // namespace

TEST_CASE("a component without layouts declares none, and others are known with it") {
  CHECK(catalog().find("backbone", "tiny")->info().weights_layouts.empty());
  CHECK(catalog().find("loss", "entropy")->info().weights_layouts.empty());
  CHECK(catalog().find("backbone", "named")->info().weights_layouts.size() == 2);
}

TEST_CASE("a backbone's layout and a head's of the same name make up that of a file") {
  const auto weights = translate(
      file_of({"net.first.weight", "net.block.3.bias", "top.fc.weight", "top.linear.bias", "old.x", "new.x"}),
      known_layouts(catalog()));
  CHECK(layout_of(weights) == "whole");
  CHECK(weights.layout->note == "wants a stem; wants a bias");
  CHECK(translated_names(weights) == Names{"backbone.first.weight", "backbone.second.4.bias",
                                           "head.classifier.weight", "head.classifier.bias"});
  CHECK(weights.dropped == Names{"old.x"});
  CHECK(weights.unused.empty());
  CHECK(weights.outside == Names{"new.x"});  // the backbone's names begin with "net."
}

TEST_CASE("without the head's names it is the backbone's layout alone") {
  const auto weights = translate(file_of({"net.first.weight", "top.other"}), known_layouts(catalog()));
  CHECK(layout_of(weights) == "whole");
  CHECK(weights.layout->note == "wants a stem");
  CHECK(weights.outside == Names{"top.other"});
}

TEST_CASE("a number in a form is a whole number, and what must be there must be there") {
  const auto known = known_layouts(catalog());
  const auto weights = translate(file_of({"net.first.weight", "net.block.x.bias", "top.a"}), known);
  CHECK(weights.unused == Names{"net.block.x.bias"});
  CHECK(weights.outside == Names{"top.a"});
  CHECK(layout_of(translate(file_of({"net.first.weight"}), known)).empty());
}

TEST_CASE("of two components that know a program, the plan's own is asked first") {
  const auto file = file_of({"first.weight", "fc.weight"});
  const auto own = [&](const std::string& backbone) {
    const auto plan = tiny_plan(catalog(), {"backbone={type='" + backbone + "'}"});
    return translated_names(translate(file, known_layouts(plan)));
  };
  CHECK(own("named") == Names{"backbone.first.weight"});
  CHECK(own("a_other") == Names{"backbone.other.weight"});
  // Whatever the plan, a file is recognized by what any component says.
  CHECK(own("tiny") == Names{"backbone.other.weight"});
}

TEST_CASE("Kindred's own files keep their names, and checkpoints hold them behind a prefix") {
  const auto known = known_layouts(catalog());
  const auto own = translate(file_of({"backbone.first.weight", "head.classifier.bias"}), known);
  CHECK(layout_of(own) == "Kindred");
  CHECK(translated_names(own) == Names{"backbone.first.weight", "head.classifier.bias"});
  const auto checkpoint = translate(
      file_of({"model.backbone.first.weight", "model.head.classifier.bias", "optimizer.0.momentum"}), known);
  CHECK(layout_of(checkpoint) == "Kindred checkpoint");
  CHECK(translated_names(checkpoint) == Names{"backbone.first.weight", "head.classifier.bias"});
  CHECK(checkpoint.dropped == Names{"optimizer.0.momentum"});
}

TEST_CASE("names of no known layout are Kindred's own, or else the backbone's") {
  const auto named = [](const std::string& name) {
    const auto weights = translate(file_of({name}), known_layouts(catalog()));
    CHECK_FALSE(weights.layout);
    return weights.tensors.at(0).name;
  };
  CHECK(named("block.weight") == "backbone.block.weight");
  CHECK(named("head.weight") == "head.weight");
}

TEST_CASE("two tensors that would have one name are an error") {
  CHECK_THROWS_WITH_AS(
      static_cast<void>(translate(file_of({"net.first.weight", "top.fc.weight", "top.linear.weight"}),
                                  known_layouts(catalog()))),
      "made.pth: error: its tensors 'top.fc.weight' and 'top.linear.weight' would both be "
      "'head.classifier.weight'",
      DataError);
}

TEST_CASE("of several rules for a name, the first counts that leads to a tensor of the network") {
  const WeightsLayout layout{
      .name = "both",
      .rules = {{"net.#.weight", "backbone.blocks.#.weight"}, {"net.#.weight", "head.rest.#.weight"}}};
  const std::set<std::string> network = {"backbone.blocks.0.weight", "head.rest.1.weight"};
  CHECK(translated(layout, "net.0.weight", network)->name == "backbone.blocks.0.weight");
  CHECK(translated(layout, "net.1.weight", network)->name == "head.rest.1.weight");
  CHECK(translated(layout, "net.2.weight", network)->name == "backbone.blocks.2.weight");
  CHECK(translated(layout, "net.1.weight")->name == "backbone.blocks.1.weight");
}

namespace {

/// Its program keeps rows in the opposite order, and wants a parameter.
class TurnedBackbone : public TinyBackbone {
 public:
  using TinyBackbone::TinyBackbone;
  static std::vector<WeightsLayout> weights_layouts() {
    const auto turned = [](const torch::Tensor& tensor) {
      if (tensor.numel() == 1) throw std::runtime_error("it has one row");
      return tensor.flip(0);
    };
    return {{.name = "turned",
             .required = {"turned.*"},
             .rules = {{"turned.weight", "first.weight", turned}, {"turned.*", "first.*"}},
             .settings = {"backbone.width=3", "backbone.last_stride=2"}}};
  }
};

Catalog turned_catalog() {
  auto catalog = tiny_catalog();
  catalog.add<TurnedBackbone>("turned");
  return catalog;
}

}  // namespace

TEST_CASE("a rule makes the component's tensor of the program's, and an error in it names the tensor") {
  const auto catalog = turned_catalog();
  WeightsFile file;
  file.file = "made.pth";
  file.content.tensors = {{"turned.weight", torch::tensor({1.0F, 2.0F, 3.0F})},
                          {"turned.bias", torch::tensor({1.0F, 2.0F, 3.0F})}};
  const auto weights = translate(file, known_layouts(catalog));
  REQUIRE(weights.tensors.size() == 2);
  CHECK(torch::equal(weights.tensors[0].tensor, torch::tensor({3.0F, 2.0F, 1.0F})));
  CHECK(torch::equal(weights.tensors[1].tensor, torch::tensor({1.0F, 2.0F, 3.0F})));
  CHECK_THROWS_WITH_AS(
      static_cast<void>(translate(file_of({"turned.weight"}), known_layouts(catalog))),
      "made.pth: error: its tensor 'turned.weight' [1] cannot be made 'backbone.first.weight' "
      "of: it has one row",
      DataError);
}

TEST_CASE("a layout's demands are the file's, and all but the last stride hold for the backbone alone") {
  const auto catalog = turned_catalog();
  WeightsFile file;
  file.content.tensors = {{"turned.bias", torch::ones(2)}};
  const auto weights = translate(file, known_layouts(catalog));
  REQUIRE(weights.layout);
  CHECK(weights.layout->settings == Names{"backbone.width=3", "backbone.last_stride=2"});
  CHECK(weights.layout->backbone_settings == Names{"backbone.width=3"});
  CHECK(may_demand(file, known_layouts(catalog)));
  CHECK_FALSE(may_demand(file_of({"first.weight"}), known_layouts(catalog)));
  CHECK(weights.recognized_by == Names{"turned.bias"});
}

TEST_CASE("of layouts that name as many tensors, the one that asks for more is taken") {
  const std::vector<FileLayout> layouts = {
      {{.name = "any", .required = {"a.*"}, .rules = {{"a.*", "backbone.*"}}}},
      {{.name = "special", .required = {"a.*", "a.special"}, .rules = {{"a.*", "backbone.*"}}}}};
  CHECK(layout_of(translate(file_of({"a.b"}), layouts)) == "any");
  CHECK(layout_of(translate(file_of({"a.b", "a.special"}), layouts)) == "special");
}

TEST_CASE("a layout that asks for more is taken where it knows as many tensors, also as of no use") {
  const std::vector<FileLayout> layouts = {
      {{.name = "any", .required = {"a.*"}, .rules = {{"a.*", "backbone.*"}, {"b.*", "head.*"}}}},
      {{.name = "special",
        .required = {"a.*", "b.*"},
        .rules = {{"a.first", "backbone.first"}, {"b.*", "head.*"}},
        .dropped = {"a.copied"}}}};
  const auto special = translate(file_of({"a.first", "a.copied", "b.copy"}), layouts);
  CHECK(layout_of(special) == "special");
  CHECK(special.dropped == Names{"a.copied"});
  CHECK(layout_of(translate(file_of({"a.first", "a.other", "b.copy"}), layouts)) == "any");
}

TEST_CASE("another program's names that begin as Kindred's are not taken for them, but in Kindred's files") {
  const auto catalog = turned_catalog();
  const auto known = known_layouts(catalog);
  for (const std::string prefix : {"", "model."}) {
    CAPTURE(prefix);
    auto file = file_of({prefix + "backbone.turned.bias", prefix + "head.mlp.0.weight"});
    const auto weights = translate(file, known);
    CHECK(layout_of(weights) == "turned");
    CHECK(weights.prefix == prefix + "backbone.");
    CHECK(translated_names(weights) == Names{"backbone.first.bias"});
    CHECK(weights.outside == Names{prefix + "head.mlp.0.weight"});
    file.content.metadata["kindred.crc32"] = "0";
    CHECK(translated_names(translate(file, known)) == Names{"backbone.turned.bias", "head.mlp.0.weight"});
  }
}
