#include "data/checked_dataset.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "data_files.h"
#include "kindred/core/catalog.h"
#include "made_dataset.h"
#include "market1501.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;

namespace {

std::string problem_of(const std::string& path, std::int64_t identity, std::int64_t camera) {
  auto made = std::make_unique<MadeDataset>();
  made->add(path, identity, camera, Split::gallery);
  const auto dataset = checked(std::move(made), "dataset/made");
  return error_of<ComponentError>([&] { (void)dataset->samples(); });
}

}  // namespace

TEST_CASE("samples that there cannot be are refused with the data set's name") {
  CHECK(problem_of("a\xE9.jpg", 1, 1) ==
        "dataset/made: error: image 'a\\xE9.jpg' has a name that is not UTF-8; rename the file");
  CHECK(contains(problem_of(std::string("a\0b", 3), 1, 1), "image 'a\\x00b' has a name that is not UTF-8"));
  CHECK(contains(problem_of("", 1, 1), "has no path"));
  CHECK(contains(problem_of("a", -3, 1), "has the identity -3; allowed are numbers from 0"));
  CHECK(contains(problem_of("a", 1, -2), "has the camera -2; allowed are numbers from 0"));
}

TEST_CASE("a recipe whose root is the parent of its data set is told the folder") {
  const TemporaryFolder folder;
  folder.write("Market-1501/bounding_box_train/0002_c1s1_000451_03.jpg", "");
  Catalog catalog;
  catalog.add<market1501::Market1501>("market1501");
  const auto recipe = recipe::parse_recipe(
      "dataset = { type = 'market1501', root = '" + folder.path().string() + "' }", "r.toml", {});
  const auto dataset = open_choice(recipe::choose_dataset(recipe, catalog));
  const auto text = error_of([&] { (void)dataset->samples(); });
  CHECK(contains(text, folder.path().string() + ": error: contains none of the folders"));
  CHECK(contains(text, "; this folder in it does: '" + (folder / "Market-1501").string() +
                           "' (market1501); set dataset.root, or --data, to it"));
}
