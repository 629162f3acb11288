// The tables that a recipe is made of.
#pragma once

#include <string>
#include <vector>

#include "kindred/schema.h"

namespace kindred {

struct RecipeTable {
  /// What the table holds: one component, a list of components, or settings of the kernel.
  enum class Kind { component, components, settings };

  std::string key;
  Kind kind;
  bool required;
  std::string summary;
  /// Keys that belong to no component.
  std::vector<ParameterInfo> parameters;

  /// As it is written: "[train]", "[[loss]]".
  [[nodiscard]] std::string header() const;
};

/// In the order in which a recipe is best written.
[[nodiscard]] std::vector<RecipeTable> recipe_layout();

}  // namespace kindred
