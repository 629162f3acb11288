#include "command/named_component.h"

#include <algorithm>

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

Value component_recipe(const std::string& role, const std::string& name,
                       const std::vector<std::string>& overrides) {
  return recipe::parse_recipe("[" + role + "]\ntype = " + Value(name).to_toml() + "\n", "--" + role,
                              overrides);
}

}  // namespace kindred::command
