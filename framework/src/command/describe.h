// Command "describe": what a component or a table of the recipe does, and which parameters it has. Everything
// comes from the schemas.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "recipe/recipe_layout.h"

namespace kindred::command {

enum class DescribeFormat { text, markdown, json };

/// Summary, source, parameters and a piece of a recipe with every default.
[[nodiscard]] std::string describe_component(const ComponentFactory& factory, DescribeFormat format);

/// What the user asked for: a component ("head/mgn"), a table of the recipe that belongs to no component
/// ("train"), a role ("head", with its components), or "recipe" (its keys at the top). Throws Error, with
/// what was probably meant, when there is no such thing.
[[nodiscard]] std::string describe(const Catalog& catalog, const std::string& what, DescribeFormat format);

/// The roles whose components an option of a command names, and no recipe.
[[nodiscard]] std::vector<recipe::RecipeTable> option_roles();

/// The component "role/name". Throws RecipeError without a place, with what was probably meant or what there
/// is.
[[nodiscard]] const ComponentFactory& find_component(const Catalog& catalog, const std::string& id);

/// The reference of one role, or of the recipe's own tables and all roles.
[[nodiscard]] std::string describe_catalog_markdown(const Catalog& catalog, const std::string& role = "");

}  // namespace kindred::command
