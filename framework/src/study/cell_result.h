// What a run of a study has come to, on disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "recipe/plan.h"
#include "results/evaluation.h"

namespace kindred::study {

struct CellResult {
  std::string recipe;          ///< deciding_recipe() of the run
  results::Evaluation scores;  ///< as the recipe ranks the gallery
  /// Of a recipe with post-processors: without them.
  std::optional<results::Evaluation> by_descriptors_alone;
};

/// What decides a run's scores, as a recipe: resolved() without `name`, [machine], how many loader threads
/// there are, how often and by what [train] evaluates, and how often it keeps checkpoints.
[[nodiscard]] std::string deciding_recipe(const recipe::Plan& plan);

/// Writes FOLDER/result.json, atomically: the last thing that a run of a study does.
void write_cell_result(const std::filesystem::path& folder, const CellResult& result);

/// Nothing when there is no such file, or when it is not one that write_cell_result() has written.
[[nodiscard]] std::optional<CellResult> read_cell_result(const std::filesystem::path& folder);

}  // namespace kindred::study
