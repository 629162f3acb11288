// How features on disk are searched and evaluated: a recipe's tables, or components by name.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/value.h"

namespace kindred::command {

/// Components that the command line names, each list in order.
struct SearchComponents {
  std::vector<std::string> post_processors;
  std::vector<std::string> metrics;  ///< empty: the default ones
};

/// The recipe in `file`, or one that holds the named components, with the overrides. Throws RecipeError when
/// both are given.
/// @param file empty: none
[[nodiscard]] Value search_recipe(const std::filesystem::path& file, const SearchComponents& named,
                                  const std::vector<std::string>& overrides);

}  // namespace kindred::command
