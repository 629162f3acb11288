#include "command/search_recipe.h"

#include "kindred/core/error.h"
#include "recipe/recipe.h"

namespace kindred::command {

Value search_recipe(const std::filesystem::path& file, const std::vector<std::string>& post_processors,
                    const std::vector<std::string>& overrides) {
  if (!file.empty() && !post_processors.empty()) {
    throw RecipeError({"the command line", 0, 0},
                      "give the post-processors either in --recipe or with --post, not both");
  }
  if (!file.empty()) return recipe::load_recipe(file, overrides);
  std::string text;
  for (const auto& name : post_processors) {
    text += "[[post_processor]]\ntype = " + Value(name).to_toml() + "\n";
  }
  return recipe::parse_recipe(text, "--post", overrides);
}

}  // namespace kindred::command
