#include "command/open_data.h"

#include <utility>

#include "data/open_folder.h"
#include "kindred/core/error.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

namespace kindred::command {

OpenedData open_data(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                     const Catalog& catalog) {
  if (path.extension() == ".toml" && std::filesystem::is_regular_file(path)) {
    return {recipe::choose_dataset(recipe::load_recipe(path, overrides), catalog).create({}), ""};
  }
  if (!overrides.empty()) {
    throw RecipeError({"--set " + overrides.front(), 0, 0},
                      path.string() + " is not a recipe (NAME.toml), so it has no keys to override");
  }
  auto opened = data::open_folder(path, catalog);
  return {std::move(opened.dataset), std::move(opened.layout)};
}

}  // namespace kindred::command
