// Carries out a study: many runs of one recipe, and what they say together.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "progress/progress.h"
#include "study/side_by_side.h"
#include "study/study.h"
#include "study/study_runs.h"

namespace kindred::study {

/// How the results are put together, in NAME.md and NAME.csv.
enum class StudyReport {
  variants,  ///< study.*: a row for each variant
  folds      ///< folds.*: a column for each fold, of the only variant
};

struct StudyOutcome {
  bool interrupted = false;
  std::int64_t failed = 0;  ///< runs
  std::string text;         ///< the tables, what failed and where everything lies
};

/// All folds of a recipe, as a study of one variant.
/// @param count of [folds]
[[nodiscard]] Study all_folds(const std::filesystem::path& recipe, std::int64_t count);

/// Checks the network, losses and components of each variant (check_plan). Throws RecipeError with every
/// error.
void check_runs(const std::vector<StudyRun>& runs);

/// What each run of the study is, and how far it has come.
/// @param ignore_code as PipelineOptions::ignore_code
[[nodiscard]] std::string list_runs(const std::vector<StudyRun>& runs, const Catalog& catalog,
                                    const std::filesystem::path& folder, bool ignore_code);

/// Carries out the pipeline of each run that is not done, in a folder of its own inside FOLDER, and writes
/// the report into FOLDER after each of them. FOLDER is locked meanwhile.
///
/// A run is done when its stages are up to date; it is not repeated. When only what follows the training has
/// changed, only that is done anew. What was trained is never trained over (Pipeline::keep_training): all
/// runs that would be are named in one error before anything is started.
///
/// A run that fails is reported, and the others continue. When `stop` is set the current runs keep a
/// checkpoint, the report says what is done, and the same call continues from there. Throws DataError for the
/// above and when the folder is in use or cannot be written.
[[nodiscard]] StudyOutcome run_study(const Study& study, const std::vector<StudyRun>& runs,
                                     StudyReport report, const StudyJobs& jobs, const Catalog& catalog,
                                     const std::filesystem::path& folder, bool ignore_code,
                                     progress::ProgressSink& progress, const std::atomic<bool>& stop);

/// Carries out one run alone, whatever else is done in FOLDER meanwhile, and leaves the report as it is.
/// @return as text "NAME: mAP 48.53 %, Rank-1 63.70 %", or "NAME failed: REASON"
[[nodiscard]] StudyOutcome run_one(const StudyRun& run, const Catalog& catalog,
                                   const std::filesystem::path& folder, bool ignore_code,
                                   progress::ProgressSink& progress, const std::atomic<bool>& stop);

/// The run of that folder ("prob=0.1/seed1_fold2"). Throws RecipeError, which names all or the nearest.
/// @param option how the name was given, "--only"
[[nodiscard]] const StudyRun& run_of(const std::vector<StudyRun>& runs, const std::string& name,
                                     const std::string& option);

}  // namespace kindred::study
