#include "recipe/recipe_kind.h"

#include <algorithm>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "recipe/plan.h"

namespace kindred::recipe {
namespace {

bool is_study(const Table& table) {
  const auto* folds = table.find("folds");
  const auto* recipe = table.find("recipe");
  return table.find("variant") != nullptr || table.find("axis") != nullptr || table.find("arm") != nullptr ||
         table.find("seeds") != nullptr || (recipe != nullptr && recipe->as<std::string>() != nullptr) ||
         (folds != nullptr && folds->as<Array>() != nullptr);
}

bool has_only(const Table& table, const std::vector<std::string>& keys) {
  return std::all_of(table.entries().begin(), table.entries().end(), [&](const Entry& entry) {
    return std::find(keys.begin(), keys.end(), entry.key) != keys.end();
  });
}

std::string file_of(const Value& recipe) {
  const auto& location = recipe.location();
  return location.line > 0 ? location.origin : "FILE";
}

}  // namespace

RecipeKind recipe_kind(const Value& recipe) {
  const auto* table = recipe.as<Table>();
  if (table == nullptr) return RecipeKind::model;
  if (table->find("stage") != nullptr) return RecipeKind::pipeline;
  if (is_study(*table)) return RecipeKind::study;
  if (speaks_of_ranking_alone(recipe)) return RecipeKind::ranking;
  if (table->find("dataset") != nullptr && has_only(*table, {"name", "seed", "dataset", "machine"})) {
    return RecipeKind::data;
  }
  return RecipeKind::model;
}

std::string kind_text(RecipeKind kind, const Value& recipe) {
  const auto file = file_of(recipe);
  switch (kind) {
    case RecipeKind::pipeline:
      return "is a pipeline, a recipe of several stages; use `kindred run " + file + "`";
    case RecipeKind::study:
      return "is a study, which compares variants of a recipe; use `kindred study " + file + "`";
    case RecipeKind::ranking:
      return "is a recipe for ranking features on disk, without a model; use `kindred evaluate FEATURES "
             "--recipe " +
             file + "`";
    case RecipeKind::data:
      return "describes a data set alone, without a model; use `kindred data doctor " + file +
             "`, or extend it by a model: configs/ has examples";
    case RecipeKind::model:
      break;
  }
  return "is a recipe for one model; use `kindred run " + file + "` or `kindred train " + file + "`";
}

void require_model_recipe(const Value& recipe) {
  const auto kind = recipe_kind(recipe);
  if (kind != RecipeKind::model) throw RecipeError(recipe.location(), kind_text(kind, recipe));
}

void refuse_study(const Value& recipe) {
  const auto kind = recipe_kind(recipe);
  if (kind == RecipeKind::study) throw RecipeError(recipe.location(), kind_text(kind, recipe));
}

}  // namespace kindred::recipe
