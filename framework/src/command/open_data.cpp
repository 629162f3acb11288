#include "command/open_data.h"

#include <utility>

#include "data/open_choice.h"
#include "data/open_folder.h"
#include "data/planned_loader.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "kindred/image/image.h"
#include "recipe/affects.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

namespace kindred::command {
namespace {

void set_pixel_limit_of(const Value& recipe) {
  const auto* loader = recipe.as<Table>()->find("loader");
  if (loader == nullptr) return;
  Diagnostics diagnostics;
  recipe::ExtractionPlan plan;
  plan.loader = recipe::LoaderSettings::schema().parse(*loader, "[loader]", diagnostics);
  diagnostics.throw_if_any();
  set_pixel_limit(data::loader_options(plan).max_pixels);
}

}  // namespace

OpenedData open_data(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                     const Catalog& catalog) {
  if (path.extension() == ".toml" && std::filesystem::is_regular_file(path)) {
    const auto recipe = recipe::load_recipe(path, overrides);
    set_pixel_limit_of(recipe);
    const auto choice = recipe::choose_dataset(recipe, catalog);
    const auto roots = recipe::locations_of(choice);
    return {data::open_choice(choice), "", roots.empty() ? "" : roots.front(), ""};
  }
  if (!overrides.empty()) {
    throw RecipeError({"--set " + overrides.front(), 0, 0},
                      path.string() + " is not a recipe (NAME.toml), so it has no keys to override");
  }
  auto opened = data::open_folder(path, catalog);
  return {std::move(opened.dataset), std::move(opened.layout), path, std::move(opened.remark)};
}

}  // namespace kindred::command
