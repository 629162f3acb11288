// Command "run": a recipe from images to scores.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "kindred/catalog.h"
#include "progress/progress.h"
#include "ranking/evaluation.h"
#include "recipe/plan.h"

namespace kindred {

struct RunOutcome {
  bool interrupted = false;
  Scores scores;
  std::string text;  ///< what was done, how long it took, the scores and where the results lie
};

/// Trains, describes query and gallery with the trained model, evaluates, and ranks the gallery for each
/// query. Descriptors go to FOLDER/features, scores to FOLDER/evaluation.*, rankings to FOLDER/rankings.
/// Everything behind the training is done again each time. Throws what the stages throw.
[[nodiscard]] RunOutcome run(const Plan& plan, const Catalog& catalog, const std::filesystem::path& folder,
                             ProgressSink& progress, const std::atomic<bool>& stop);

}  // namespace kindred
