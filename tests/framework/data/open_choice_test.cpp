#include "data/open_choice.h"

#include "data_files.h"
#include "kindred/core/catalog.h"
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
  const auto dataset = open_choice(recipe::choose_datasets(recipe, catalog).front());
  const auto text = error_of([&] { (void)dataset->samples(); });
  CHECK(contains(text, folder.path().string() + ": error: contains none of the folders"));
  CHECK(contains(text, "; this folder in it does: '" + (folder / "Market-1501").string() +
                           "' (market1501); set dataset.root, or --data, to it"));
}
