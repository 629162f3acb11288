// What a run of a study has come to, on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "ranking/evaluation.h"
#include "recipe/plan.h"

namespace kindred::study {

/// What a study keeps of Scores; shares in [0, 1].
struct CellScores {
  double mean_ap = 0;
  double rank1 = 0;
  double mean_inp = 0;
  std::int64_t queries = 0;  ///< that were judged
  std::int64_t gallery = 0;

  [[nodiscard]] static CellScores of(const ranking::Scores& scores);
};

struct CellResult {
  std::string recipe;                              ///< deciding_recipe() of the run
  CellScores scores;                               ///< as the recipe ranks the gallery
  std::optional<CellScores> by_descriptors_alone;  ///< of a recipe with post-processors: without them
};

/// What decides a run's scores, as a recipe: resolved() without `name`, [machine], how many loader threads
/// there are, how often [train] evaluates and keeps checkpoints.
[[nodiscard]] std::string deciding_recipe(const recipe::Plan& plan);

/// Writes FOLDER/result.json, atomically: the last thing that a run of a study does.
void write_cell_result(const std::filesystem::path& folder, const CellResult& result);

/// Nothing when there is no such file, or when it is not one that write_cell_result() has written.
[[nodiscard]] std::optional<CellResult> read_cell_result(const std::filesystem::path& folder);

}  // namespace kindred::study
