#include "kindred/core/catalog.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "fake_components.h"
#include "recipe/toml_reader.h"

using namespace kindred;
using namespace kindred::test;

TEST_CASE("a component is found by role and name, with what its schema says") {
  const auto catalog = fake_catalog();
  const auto* found = catalog.find("augmentation", "random_patch");
  REQUIRE(found != nullptr);
  CHECK(found->info().id() == "augmentation/random_patch");
  CHECK(found->info().summary == "Leaves images as they are.");
  CHECK(found->info().source == "Nobody et al., FAKE 2024, eq. (1)");
  CHECK(found->info().plugin == "fakes");
  CHECK(found->info().file == "plugins/fakes.so");
  CHECK(found->info().parameters.size() == 6);
  CHECK(catalog.find<Augmentation>("random_patch") == found);
}

TEST_CASE("what is not there is not found") {
  const auto catalog = fake_catalog();
  CHECK(catalog.find("augmentation", "random_patc") == nullptr);
  CHECK(catalog.find("head", "random_patch") == nullptr);
  CHECK(catalog.find("", "") == nullptr);
  CHECK(catalog.find("zzz", "zzz") == nullptr);
  CHECK(Catalog().find("head", "simple") == nullptr);
}

TEST_CASE("a component is found by a name that it had, as one that has another now") {
  const auto catalog = fake_catalog();
  CHECK(catalog.find("backbone", "little") == nullptr);
  CHECK(catalog.find_former("backbone", "little") == catalog.find("backbone", "small"));
  CHECK(catalog.find_former("backbone", "small") == nullptr);
  CHECK(catalog.find_former("head", "little") == nullptr);
}

TEST_CASE("components are ordered by role and name, however they were added") {
  const auto catalog = fake_catalog();
  std::vector<std::string> ids;
  for (const auto* factory : catalog.components()) ids.push_back(factory->info().id());
  CHECK(ids.size() == 14);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  const auto backbones = catalog.components("backbone");
  REQUIRE(backbones.size() == 2);
  CHECK(backbones[0]->info().name == "large");
  CHECK(backbones[1]->info().name == "small");
  CHECK(catalog.components("writer").empty());
}

TEST_CASE("a component is made from parsed parameters") {
  const auto catalog = fake_catalog();
  const auto* factory = catalog.find<Optimizer>("sgd");
  Diagnostics diagnostics;
  const auto params =
      factory->parse(recipe::parse_toml("type = \"sgd\"\nlearning_rate = 0.5", "r"), diagnostics, {"type"});
  CHECK(diagnostics.empty());
  CHECK(factory->create(params.get(), {})->learning_rate() == 0.5);
  CHECK(factory->write(params.get()).to_toml() == "{ learning_rate = 0.5 }");
}

TEST_CASE("messages about parameters name role and component") {
  const auto catalog = fake_catalog();
  Diagnostics diagnostics;
  static_cast<void>(catalog.find("augmentation", "random_patch")
                        ->parse(recipe::parse_toml("prob = 3", "r"), diagnostics, {}));
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].str() ==
        "r:1:8: error: augmentation 'random_patch': prob = 3 is outside [0, 1]");
}

TEST_CASE("a name that is declared twice by one plugin is its author's mistake") {
  Catalog catalog;
  catalog.add<FakeSampler>("plain");
  CHECK_THROWS_WITH_AS(catalog.add<FakeSampler>("plain"), "component 'sampler/plain' is declared twice",
                       std::logic_error);
  CHECK_NOTHROW(catalog.add<FakeSchedule>("plain"));  // another role
  CHECK(catalog.components().size() == 2);
}

namespace {

/// What is said of a component whose schema has these texts.
struct Texts {
  std::string summary = "Leaves images as they are.";
  std::string parameter = "side";
  std::string doc = "of the image";
};

std::string said_of(const std::string& name, const Texts& texts = {}) {
  static Texts given;
  struct Described : FakeSampler {
    struct Params {
      double side = 1;
    };
    static Schema<Params> schema() {
      Schema<Params> s(given.summary);
      s.add(given.parameter, &Params::side, given.doc);
      return s;
    }
    Described(const Params&, const Context& context) : FakeSampler({}, context) {}
  };
  given = texts;
  Catalog catalog;
  try {
    catalog.add<Described>(name);
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a component whose name no recipe can write is its author's mistake") {
  CHECK(said_of("my-sampler_2").empty());
  for (const auto* name : {"", "my sampler", "my.sampler", "a/b", "a=b", "-x", "\xC3\xBC", "*"}) {
    CAPTURE(name);
    CHECK(
        said_of(name).starts_with("a sampler has the name '" + std::string(name) + "'; a name has letters"));
    CHECK(said_of("plain", {.parameter = name})
              .starts_with("component 'sampler/plain' has a parameter '" + std::string(name) +
                           "'; a name has"));
  }
  CHECK(said_of("a\nb").starts_with("a sampler has the name 'a\\x0Ab'"));
}

TEST_CASE("a component that does not say in a line what it and its parameters are is its author's mistake") {
  CHECK(said_of("plain").empty());
  CHECK(said_of("plain", {.summary = ""}) ==
        "component 'sampler/plain' has no summary; give its schema one, a line that says what it does");
  CHECK(said_of("plain", {.summary = "two\nlines"}) ==
        "component 'sampler/plain' has a summary or a source that is not one line in UTF-8");
  CHECK(said_of("plain", {.doc = ""}) ==
        "component 'sampler/plain' does not say what its parameter 'side' means; document it in the schema");
  CHECK(said_of("plain", {.doc = "caf\xE9"}) ==
        "component 'sampler/plain' documents its parameter 'side' by what is not one line in UTF-8");
}

TEST_CASE("a component that another plugin offers already is refused with both files, and nothing is taken") {
  auto catalog = fake_catalog();
  const auto before = catalog.components().size();
  Catalog other;
  other.add<FakeSampler>("another");
  other.add<FakeSampler>("plain");
  CHECK_THROWS_WITH_AS(
      catalog.merge(std::move(other), "mine", "home/mine.so"),
      "home/mine.so: error: plugin 'mine' offers 'sampler/plain', which plugin 'fakes' "
      "(plugins/fakes.so) already offers; remove one of the two files, or rename the component",
      PluginError);
  CHECK(catalog.components().size() == before);
  CHECK(catalog.find("sampler", "another") == nullptr);
}

TEST_CASE("a catalog is moved, never copied") {
  CHECK_FALSE(std::is_copy_constructible_v<Catalog>);
  auto first = fake_catalog();
  const auto* factory = first.find("head", "simple");
  const auto second = std::move(first);
  CHECK(second.find("head", "simple") == factory);
}
