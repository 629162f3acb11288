// Command "run": a recipe from images to scores.
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>

#include "kindred/core/catalog.h"
#include "progress/progress.h"
#include "recipe/plan.h"
#include "results/evaluation.h"

namespace kindred::command {

struct RunOutcome {
  bool interrupted = false;
  std::optional<results::Evaluation> scores;  ///< absent when the data set does not say who the queries are
  /// Without post-processors; absent when the recipe has none.
  std::optional<results::Evaluation> plain_scores;
  std::string text;  ///< what was done, how long it took, the scores and where the results lie
};

/// Trains, describes query and gallery with the trained model, ranks the gallery for each query, and
/// evaluates when queries are labelled. Descriptors go to FOLDER/features, scores to FOLDER
/// (write_evaluation()), those without post-processors to evaluation_plain.json, rankings to FOLDER/rankings.
/// Everything behind the training is done again each time. Throws what the stages throw.
[[nodiscard]] RunOutcome run(const recipe::Plan& plan, const Catalog& catalog,
                             const std::filesystem::path& folder, progress::ProgressSink& progress,
                             const std::atomic<bool>& stop);

}  // namespace kindred::command
