// Commands "study" and "folds": many runs of one recipe, and what they say together.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "progress/progress.h"
#include "study/cells.h"
#include "study/study.h"

namespace kindred::command {

/// How the results are put together, in NAME.md and NAME.csv.
enum class StudyReport {
  arms,  ///< study.*: a row for each arm
  folds  ///< folds.*: a column for each fold, of the only arm
};

struct StudyOutcome {
  bool interrupted = false;
  std::int64_t failed = 0;  ///< runs
  std::string text;         ///< the tables, what failed and where everything lies
};

/// All folds of a recipe, as a study of one arm.
/// @param count of [folds]
[[nodiscard]] study::Study all_folds(const std::filesystem::path& recipe, std::int64_t count);

/// Checks the network, losses and components of each arm (check_plan). Throws RecipeError with every error.
void check_cells(const std::vector<study::Cell>& cells);

/// What each run of the study is, and how far it has come.
[[nodiscard]] std::string list_cells(const std::vector<study::Cell>& cells,
                                     const std::filesystem::path& folder);

/// Does every run that is not done (run()), each in a folder of its own inside FOLDER, and writes the report
/// into FOLDER after each of them. FOLDER is locked meanwhile.
///
/// A run is done when its result.json is there and belongs to the same recipe; it is not repeated. When only
/// what follows the training has changed (evaluation, post-processors, descriptors), the images are described
/// and evaluated anew. What was trained is never trained over: a run whose training belongs to another recipe
/// is an error, before anything is started, that names the keys of each.
///
/// A run that fails is told of, and the others go on. When `stop` is set the run under way keeps a
/// checkpoint, the report says what is done, and the same call goes on from there. Throws DataError for the
/// above and when the folder is in use or cannot be written.
[[nodiscard]] StudyOutcome run_study(const study::Study& study, const std::vector<study::Cell>& cells,
                                     StudyReport report, const Catalog& catalog,
                                     const std::filesystem::path& folder, progress::ProgressSink& progress,
                                     const std::atomic<bool>& stop);

}  // namespace kindred::command
