#include "command/search_recipe.h"

#include "kindred/core/error.h"
#include "recipe/recipe.h"

namespace kindred::command {

Value search_recipe(const std::filesystem::path& file, const SearchComponents& named,
                    const std::vector<std::string>& overrides) {
  std::string text;
  const auto add = [&](const std::vector<std::string>& names, const std::string& list) {
    for (const auto& name : names) text += "[[" + list + "]]\ntype = " + Value(name).to_toml() + "\n";
  };
  add(named.post_processors, "post_processor");
  add(named.metrics, "metric");
  if (file.empty()) return recipe::parse_recipe(text, "the command line", overrides);
  if (!text.empty()) {
    throw RecipeError({"the command line", 0, 0},
                      "give the components either in --recipe or with --post and --metric, not both");
  }
  return recipe::load_recipe(file, overrides);
}

}  // namespace kindred::command
