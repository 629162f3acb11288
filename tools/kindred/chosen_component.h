// The component that a command's option names, such as --labeler NAME.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kindred/core/value.h"
#include "options.h"
#include "plugin/plugin_loader.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

namespace kindred::launcher {

/// Takes those that are of this table out of `overrides`.
inline std::vector<std::string> taken_out(std::vector<std::string>& overrides, const std::string& table) {
  const auto others = std::stable_partition(overrides.begin(), overrides.end(), [&](const std::string& text) {
    return !text.starts_with(table + ".");
  });
  std::vector<std::string> taken(others, overrides.end());
  overrides.erase(others, overrides.end());
  return taken;
}

/// The component of the command's role; its overrides are taken out of `overrides`.
template <class Role>
typename Role::Handle chosen_component(const Options& options, std::vector<std::string>& overrides,
                                       const plugin::LoadedPlugins& plugins) {
  const std::string role(Role::role_name);
  const auto own = taken_out(overrides, role);
  const auto recipe = recipe::parse_recipe(
      "[" + role + "]\ntype = " + Value(options.component).to_toml() + "\n", "--" + role, own);
  return recipe::choose_component<Role>(recipe, plugins.catalog).create({});
}

}  // namespace kindred::launcher
