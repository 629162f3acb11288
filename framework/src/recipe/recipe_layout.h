// The tables that a recipe is made of.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"

namespace kindred::recipe {

struct RecipeTable {
  /// What the table holds: one component, a list of components, settings of the engine, a list of these, or
  /// those entries of such a list that have one `type`; the key of these is "LIST.TYPE". An option of the
  /// command line names one component, and no recipe does.
  enum class Kind { component, components, settings, settings_list, variant, option };

  std::string key;  ///< "train"; of a table inside another "optimizer.group"
  Kind kind;
  bool required;
  std::string summary;
  /// Keys that belong to no component.
  std::vector<ParameterInfo> parameters;
  /// Tables inside it that belong to no component; `parameters` names them too.
  std::vector<RecipeTable> inner;
  std::string within = "";  ///< the table that it stands in, "stage" for [stage.labeler]; "": at the top
  Affects affects = Affects::training;     ///< what its keys affect, but for those with a mark of their own
  std::vector<std::string> also_called{};  ///< what others call it

  /// As it is written: "[train]", "[[loss]]", "--layout".
  [[nodiscard]] std::string header() const;
};

/// Of a recipe for one model, in the order in which it is best written.
[[nodiscard]] std::vector<RecipeTable> recipe_layout();

/// The keys at the top of a recipe that are no tables.
[[nodiscard]] std::vector<ParameterInfo> top_level_parameters();

}  // namespace kindred::recipe
