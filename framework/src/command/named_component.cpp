#include "command/named_component.h"

#include <algorithm>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "recipe/recipe.h"

namespace kindred::command {

std::vector<std::string> take_overrides(std::vector<std::string>& overrides, const std::string& table) {
  const auto others = std::stable_partition(overrides.begin(), overrides.end(), [&](const std::string& text) {
    return !text.starts_with(table + ".");
  });
  std::vector<std::string> taken(others, overrides.end());
  overrides.erase(others, overrides.end());
  return taken;
}

Value component_table(const std::string& option, const std::string& name) {
  const SourceLocation typed{option + " " + name, 0, 0};
  Table table;
  table.set("type", Value(name, typed), typed);
  return {std::move(table), typed};
}

Value component_recipe(const std::string& option, const std::string& role, const std::string& name,
                       const std::vector<std::string>& overrides) {
  auto component = component_table(option, name);
  const auto typed = component.location();
  Table recipe;
  recipe.set(role, std::move(component), typed);
  return recipe::with_overrides({std::move(recipe), typed}, overrides);
}

}  // namespace kindred::command
