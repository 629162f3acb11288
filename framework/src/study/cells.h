// The runs that a study is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "recipe/plan.h"
#include "study/study.h"

namespace kindred::study {

/// One run: an arm with a seed and a fold.
struct Cell {
  std::size_t arm = 0;
  std::optional<std::int64_t> seed;  ///< absent: the study names none
  std::optional<std::int64_t> fold;
  std::filesystem::path folder;  ///< within the study's: "prob=0.1/seed1_fold2"
  recipe::Plan plan;
};

/// All runs, all arms of a seed and fold one after another, so that a study that is stopped early compares
/// its arms already. Changes apply in this order: the recipe, the study's, the arm's, the overrides, and then
/// the cell's seed and fold.
///
/// Throws RecipeError with every error of every cell's recipe, each told once; also when two arms are the
/// same recipe, and for a change of `seed` or `folds.fold` where the study names these itself. When a
/// component is missing, MissingComponentError. The catalog must outlive the cells.
/// @param overrides of all arms, as on the command line
[[nodiscard]] std::vector<Cell> plan_cells(const Study& study, const std::vector<std::string>& overrides,
                                           const Catalog& catalog);

}  // namespace kindred::study
