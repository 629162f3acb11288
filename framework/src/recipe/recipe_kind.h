// What a file of TOML is a recipe of: for commands that are given another kind than they follow.
#pragma once

#include <string>

#include "kindred/core/value.h"

namespace kindred::recipe {

enum class RecipeKind {
  model,     ///< of one model: what `kindred train` follows; also what is no other kind
  pipeline,  ///< of several stages
  study,     ///< variants of a recipe
  ranking,   ///< of searching a gallery alone
  data,      ///< a data set alone
};

/// Told by the keys at the top.
[[nodiscard]] RecipeKind recipe_kind(const Value& recipe);

/// "is a study, which compares variants of a recipe; use `kindred study FILE`", with the recipe's own file.
[[nodiscard]] std::string kind_text(RecipeKind kind, const Value& recipe);

/// Throws RecipeError with one line when the recipe is a study or of another kind that a recipe for one model
/// is not.
void require_model_recipe(const Value& recipe);

/// The same for what is read of any recipe but a study.
void refuse_study(const Value& recipe);

}  // namespace kindred::recipe
