// How features on disk are searched: a recipe's tables, or post-processors by name.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/value.h"

namespace kindred::command {

/// The recipe in `file`, or one that holds the named post-processors in order, with the overrides. Throws
/// RecipeError when both are given.
/// @param file empty: none
[[nodiscard]] Value search_recipe(const std::filesystem::path& file,
                                  const std::vector<std::string>& post_processors,
                                  const std::vector<std::string>& overrides);

}  // namespace kindred::command
