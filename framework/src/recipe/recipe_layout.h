// The tables that a recipe is made of.
#pragma once

#include <string>
#include <vector>

#include "kindred/schema.h"

namespace kindred {

struct RecipeTable {
  /// What the table holds: one component, a list of components, settings of the kernel, or a list of these.
  enum class Kind { component, components, settings, settings_list };

  std::string key;  ///< "train"; of a table inside another "optimizer.group"
  Kind kind;
  bool required;
  std::string summary;
  /// Keys that belong to no component.
  std::vector<ParameterInfo> parameters;
  /// Tables inside it that belong to no component; `parameters` names them too.
  std::vector<RecipeTable> inner;

  /// As it is written: "[train]", "[[loss]]".
  [[nodiscard]] std::string header() const;
};

/// In the order in which a recipe is best written.
[[nodiscard]] std::vector<RecipeTable> recipe_layout();

}  // namespace kindred
