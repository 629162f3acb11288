// A component that the command line names, without a recipe.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "recipe/plan.h"

namespace kindred::command {

/// Moves the overrides of one table ("TABLE.KEY=VALUE") out of `overrides`.
[[nodiscard]] std::vector<std::string> take_overrides(std::vector<std::string>& overrides,
                                                      const std::string& table);

/// The table of a component that an option names. Its place is the option as it was typed, "--layout naic".
[[nodiscard]] Value component_table(const std::string& option, const std::string& name);

/// A recipe that holds nothing but the table of one component.
/// @param option that names it: "--layout"
[[nodiscard]] Value component_recipe(const std::string& option, const std::string& role,
                                     const std::string& name, const std::vector<std::string>& overrides);

/// Makes the component that --ROLE names, with the overrides of its table, which are moved out of
/// `overrides`. Throws RecipeError for what is wrong with the name or the parameters.
template <class Role>
[[nodiscard]] typename Role::Handle make_named_component(const std::string& name,
                                                         std::vector<std::string>& overrides,
                                                         const Catalog& catalog) {
  const std::string role(Role::role_name);
  const auto own = take_overrides(overrides, role);
  return recipe::choose_component<Role>(component_recipe("--" + role, role, name, own), catalog).create({});
}

}  // namespace kindred::command
