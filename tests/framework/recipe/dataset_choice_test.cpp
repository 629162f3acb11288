#include "recipe/dataset_choice.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "recipe/affects.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "recipe/recipe_override.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::recipe;
using namespace kindred::test;

namespace {

const Catalog& catalog() {
  static const Catalog made = tiny_catalog();
  return made;
}

/// The tiny recipe with these entries of [[dataset]] after its own type.
Plan plan_with(const std::vector<std::string>& entries, std::vector<std::string> overrides = {}) {
  std::string list;
  for (const auto& entry : entries) list += (list.empty() ? "" : ", ") + ("{type = 'tiny', " + entry + "}");
  overrides.insert(overrides.begin(), "dataset=[" + list + "]");
  return tiny_plan(catalog(), overrides);
}

std::string refusal(const std::vector<std::string>& entries, std::vector<std::string> overrides = {}) {
  try {
    static_cast<void>(plan_with(entries, std::move(overrides)));
  } catch (const RecipeError& error) {
    return error.what();
  }
  return "";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a recipe has several data sets, each with a name, a share and a prefix of its images") {
  const auto plan = plan_with({"name = 'a', share = 3.0, images = 7", "name = 'b', share = 1", "tested = 2"},
                              {"dataset.tiny.share=0"});
  REQUIRE(plan.datasets.size() == 3);
  CHECK(names_of(plan.datasets) == std::vector<std::string>{"a", "b", "tiny"});
  CHECK(plan.evaluate_on == names_of(plan.datasets));
  CHECK(plan.datasets[0].share == 3.0);
  CHECK(plan.datasets[1].prefix == "b/");
  CHECK(plan.datasets[1].id() == "dataset/tiny 'b'");
  CHECK_FALSE(plan.datasets[2].trained_on());
  CHECK(have_shares(plan.datasets));
  CHECK(dataset_of(plan.datasets, "b/train/1_0")->name == "b");
  CHECK(dataset_of(plan.datasets, "pseudo1/train/1_0") == nullptr);
}

TEST_CASE("a folder for a data set that reads no files is refused with what to name instead") {
  CHECK(holds(refusal({"root = 'data'"}),
              " has no parameter 'root', as it reads no files; name a dataset that does in dataset.type; "
              "`kindred list dataset` shows all"));
}

TEST_CASE("the resolved recipe of several data sets is the same recipe, and one data set stays a table") {
  const auto plan = plan_with({"name = 'a', share = 3", "name = 'b', share = 1"}, {"evaluate_on=['b']"});
  const auto text = write_recipe(plan.resolved());
  CHECK(holds(text, "evaluate_on = [\"b\"]"));
  CHECK(holds(text, "[[dataset]]"));
  CHECK(make_plan(parse_recipe(text, "again.toml", {}), catalog()).resolved() == plan.resolved());
  const auto all = write_recipe(plan_with({"name = 'a'", "name = 'b'"}).resolved());
  CHECK(make_plan(parse_recipe(all, "again.toml", {"dataset.a.enabled=false"}), catalog()).evaluate_on ==
        std::vector<std::string>{"b"});
  const auto single = write_recipe(plan_with({"images = 7"}).resolved());
  CHECK(holds(single, "[dataset]\n"));
  CHECK(single == write_recipe(tiny_plan(catalog(), {"dataset.images=7"}).resolved()));
}

TEST_CASE("an entry is changed by its name, and one that is left out is not there") {
  const auto plan =
      plan_with({"name = 'a'", "name = 'b'"}, {"dataset.b.images=9", "dataset.a.enabled=false"});
  REQUIRE(plan.datasets.size() == 1);
  CHECK(plan.datasets[0].name == "b");
  CHECK(plan.datasets[0].prefix.empty());
  CHECK(plan.datasets[0].resolved().as<Table>()->find("images")->to_toml() == "9");
}

TEST_CASE("what decides a training is every data set that is trained on, and no other") {
  const auto part = [](const std::vector<std::string>& overrides) {
    return plan_with({"name = 'a', share = 3", "name = 'b', share = 1", "name = 'test', share = 0"},
                     overrides)
        .identity();
  };
  const auto before = part({});
  CHECK_FALSE(part({"dataset.b.images=9"}) == before);
  CHECK_FALSE(part({"dataset.b.share=2"}) == before);
  CHECK(part({"dataset.test.images=9"}) == before);
  CHECK(part({"evaluate_on=['test']"}) == before);
}

TEST_CASE("data sets that cannot be told apart or shares that say too little are errors with a remedy") {
  CHECK(holds(refusal({"images = 3", "images = 4"}),
              "two data sets have the name 'tiny'; give each its own 'name'"));
  CHECK(holds(refusal({"name = 'a/b'", "name = 'c'"}), "use letters, digits, '_' and '-'"));
  CHECK(holds(refusal({"name = 'pseudo3'", "name = 'c'"}), "not 'pseudo' with a number"));
  CHECK(
      holds(refusal({"name = 'a', share = 1", "name = 'b'"}), "data set 'b' has no share, but 'a' has one"));
  CHECK(holds(refusal({"name = 'a', share = 0", "name = 'b', share = 0"}), "no data set is trained on"));
  CHECK(holds(refusal({"name = 'a', share = -1", "name = 'b'"}), "share"));
  CHECK(holds(refusal({"name = 'a', enabled = false"}), "no [[dataset]] is enabled"));
  CHECK(holds(refusal({"name = 'a'", "name = 'b'"}, {"evaluate_on=['c']"}),
              "evaluate_on: there is no data set 'c'"));
  CHECK(holds(refusal({"name = 'a'", "name = 'b'"}, {"evaluate_on=['a', 'a']"}), "names 'a' twice"));
  CHECK(holds(refusal({"name = 'a', share = 1", "name = 'b', share = 1"},
                      {"pseudo_labels=[{file = 'labels.csv', dataset = {type = 'tiny'}}]"}),
              "without a share of the batch"));
}

TEST_CASE("--data sets the root of the only data set, or of the one that it names") {
  CHECK(data_override("some/folder") == "dataset.root=\"some/folder\"");
  CHECK(data_override("market=/data/m") == "dataset.market.root=\"/data/m\"");
  CHECK(data_override("a/b=c") == "dataset.root=\"a/b=c\"");
}
