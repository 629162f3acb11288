// The runs that a study is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "pipeline/pipeline.h"
#include "recipe/plan.h"
#include "study/study.h"

namespace kindred::study {

/// One run: a variant with a seed and a fold.
struct StudyRun {
  std::size_t variant = 0;
  std::optional<std::int64_t> seed;  ///< absent: the study names none
  std::optional<std::int64_t> fold;
  std::filesystem::path folder;  ///< within the study's: "prob=0.1/seed1_fold2"
  recipe::Plan plan;
  std::shared_ptr<const pipeline::Pipeline> pipeline;  ///< of its plain recipe
};

/// All runs, all variants of a seed and fold one after another, so that a study that is stopped early
/// compares its variants already. Changes apply in this order: the recipe, the study's, the variant's, the
/// overrides, and then the run's seed and fold.
///
/// Throws RecipeError with every error of every run's recipe, each told once; also when two variants are the
/// same recipe, and for a change of `seed` or `folds.fold` where the study names these itself. When a
/// component is missing, MissingComponentError. The catalog must outlive the runs.
/// @param overrides of all variants, as on the command line
[[nodiscard]] std::vector<StudyRun> plan_runs(const Study& study, const std::vector<std::string>& overrides,
                                              const Catalog& catalog);

}  // namespace kindred::study
