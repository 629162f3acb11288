#include "recipe/recipe_kind.h"

#include <doctest/doctest.h>

#include <string>

#include "kindred/core/error.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::recipe;
using namespace kindred::test;

namespace {

Value recipe_of(const std::string& text) {
  return parse_recipe(text, "r.toml", {});
}

}  // namespace

TEST_CASE("what a recipe is of is told by its keys") {
  CHECK((recipe_kind(recipe_of("")) == RecipeKind::model));
  CHECK((recipe_kind(recipe_of("[dataset]\ntype = 'a'\n[train]\nepochs = 3\n")) == RecipeKind::model));
  CHECK((recipe_kind(recipe_of("[dataset]\ntype = 'a'\n[[stage]]\nname = 'b'\n")) == RecipeKind::pipeline));
  CHECK((recipe_kind(recipe_of("recipe = 'a.toml'\nseeds = [1]\n")) == RecipeKind::study));
  CHECK((recipe_kind(recipe_of("[[variant]]\nname = 'a'\n")) == RecipeKind::study));
  CHECK((recipe_kind(recipe_of("folds = [1, 2]\n")) == RecipeKind::study));
  CHECK((recipe_kind(recipe_of("[folds]\ncount = 2\n")) == RecipeKind::model));
  CHECK((recipe_kind(recipe_of("[[post_processor]]\ntype = 'a'\n[machine]\nthreads = 1\n")) ==
         RecipeKind::ranking));
  CHECK((recipe_kind(recipe_of("name = 'x'\n[dataset]\ntype = 'a'\n")) == RecipeKind::data));
}

TEST_CASE("a recipe of another kind than asked for is one error, with the command for it") {
  const auto refusal = [](const std::string& text) {
    return message_of<RecipeError>([&] { require_model_recipe(recipe_of(text)); });
  };
  CHECK(refusal("[train]\nepochs = 3\n").empty());
  CHECK(refusal("recipe = 'a.toml'\n") ==
        "r.toml:1:1: error: is a study, which compares variants of a recipe; use `kindred study r.toml`");
  CHECK(refusal("[[stage]]\nname = 'b'\n") ==
        "r.toml:1:1: error: is a pipeline, a recipe of several stages; use `kindred run r.toml`");
  CHECK(message_of<RecipeError>([&] { refuse_study(recipe_of("[[stage]]\nname = 'b'\n")); }).empty());
  CHECK_FALSE(message_of<RecipeError>([&] { refuse_study(recipe_of("[[axis]]\nkey = 'a'\n")); }).empty());
}
