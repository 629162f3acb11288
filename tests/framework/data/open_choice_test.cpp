#include "data/open_choice.h"

#include "data_files.h"
#include "kindred/core/catalog.h"
#include "manifest.h"
#include "market1501.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;

TEST_CASE("a recipe whose root is the parent of its data set is told the folder") {
  const TemporaryFolder folder;
  folder.write("Market-1501/bounding_box_train/0002_c1s1_000451_03.jpg", "");
  Catalog catalog;
  catalog.add<market1501::Market1501>("market1501");
  const auto recipe = recipe::parse_recipe(
      "dataset = { type = 'market1501', root = '" + folder.path().string() + "' }", "r.toml", {});
  const auto dataset = open_choice(recipe::choose_datasets(recipe, catalog).front(), catalog);
  const auto text = error_of([&] { (void)dataset->samples(); });
  CHECK(contains(text, folder.path().string() + ": error: contains none of the folders"));
  CHECK(contains(text, "; this folder in it does: '" + (folder / "Market-1501").string() +
                           "' (market1501); set dataset.root, or --data, to it"));
}

TEST_CASE("a recipe whose folder another dataset knows is told that dataset") {
  const TemporaryFolder folder;
  folder.write("query/1.jpg", "");
  folder.write("manifest.csv", "path,identity,split\nquery/1.jpg,1,query\n");
  Catalog catalog;
  catalog.add<market1501::Market1501>("market1501");
  const auto recipe = recipe::parse_recipe(
      "dataset = { type = 'market1501', root = '" + folder.path().string() + "' }", "r.toml", {});
  const auto error = [&] {
    const auto dataset = open_choice(recipe::choose_datasets(recipe, catalog).front(), catalog);
    return error_of([&] { (void)dataset->samples(); });
  };
  CHECK_FALSE(contains(error(), "it is in the layout"));
  catalog.add<manifest::Manifest>("manifest");
  CHECK(contains(error(), "contains 'query', but not its gallery 'bounding_box_test'"));
  CHECK(contains(error(),
                 "; it is in the layout 'manifest': set dataset.type to that, as with --set "
                 "dataset.type=manifest"));
}
