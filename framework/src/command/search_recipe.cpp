#include "command/search_recipe.h"

#include <utility>

#include "command/named_component.h"
#include "kindred/core/error.h"
#include "recipe/recipe.h"

namespace kindred::command {

Value search_recipe(const std::filesystem::path& file, const SearchComponents& named,
                    const std::vector<std::string>& overrides) {
  const SourceLocation command_line{"the command line", 0, 0};
  Table recipe;
  const auto add = [&](const std::string& option, const std::string& list,
                       const std::vector<std::string>& names) {
    Array components;
    for (const auto& name : names) components.push_back(component_table(option, name));
    if (!components.empty()) recipe.set(list, Value(std::move(components), command_line), command_line);
  };
  add("--post", "post_processor", named.post_processors);
  add("--metric", "metric", named.metrics);
  if (file.empty()) return recipe::with_overrides({std::move(recipe), command_line}, overrides);
  if (!recipe.empty()) {
    throw RecipeError(command_line,
                      "give the components either in --recipe or with --post and --metric, not both");
  }
  return recipe::load_recipe(file, overrides);
}

}  // namespace kindred::command
