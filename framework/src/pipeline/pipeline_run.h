// Carries out a pipeline in a directory, stage by stage, and knows what need not be done again.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/file_hashes.h"
#include "pipeline/pipeline.h"
#include "progress/progress.h"
#include "system/ranks.h"

namespace kindred::pipeline {

struct PipelineOptions {
  std::string from;  ///< this stage and all that read of it run anew; "": none must
  std::string only;  ///< no other stage runs; "": all may
  /// What files hold, shared by several pipelines one after the other; nullptr: FOLDER/.file_hashes.
  FileHashes* hashes = nullptr;
  bool ignore_code = false;  ///< what another build of Kindred has made counts as this one's
  /// Those that work on stages together; the others follow_pipeline().
  const system::Ranks* ranks = &system::Ranks::alone();
};

/// What is the matter with a stage before it runs.
struct StageState {
  enum class Kind { up_to_date, goes_on, runs, left_out };
  Kind kind = Kind::runs;
  std::string reason;  ///< why it runs
};

struct PlannedStage {
  std::string name;
  std::string type;
  StageState state;
};

/// A training that is kept would have to be trained over (Pipeline::keep_training).
class KeptTrainingError : public DataError {
 public:
  using DataError::DataError;
};

/// What run_pipeline() would do, without doing any of it. Throws as it does before its first stage begins,
/// but for a folder that is in use: to know that, it would have to be locked.
[[nodiscard]] std::vector<PlannedStage> plan_pipeline(const Pipeline& pipeline, const Catalog& catalog,
                                                      const std::filesystem::path& folder,
                                                      const PipelineOptions& options);

/// The same without asking whether the stages can be carried out, which takes building networks: how far a
/// run has come.
[[nodiscard]] std::vector<PlannedStage> state_of_pipeline(const Pipeline& pipeline, const Catalog& catalog,
                                                          const std::filesystem::path& folder,
                                                          const PipelineOptions& options);

/// The same as a table for people.
[[nodiscard]] std::string plan_text(const std::vector<PlannedStage>& stages);

struct PipelineOutcome {
  bool interrupted = false;
  std::string text;  ///< costs, scores and where the results lie
};

/// Runs the stages in order, each in FOLDER/NAME, but for those whose result is up to date: made with the
/// same parameters of the same inputs (by content), images (by content) and code, and unchanged since. A
/// stage that was stopped, however that came, goes on or begins anew; on the CPU the results are in the end
/// the same to the last bit as those of a run in one go. What a stage that runs anew had made before is kept
/// in FOLDER/.replaced until it has ended, and is taken back when the parameters are.
///
/// Writes FOLDER/pipeline.toml, log.txt, costs.json, costs.md, and scores.json and scores.md where the truth
/// is known, but of no ranking that `only` has left with other results before it than it was made of. All
/// stages are checked before the first one runs, and before a new FOLDER is made. Throws RecipeError for
/// `from` or `only` that are no stages, and for a `from` that does not make `only` run; DataError when the
/// folder is in use, when it is another run's (it describes stages that have run, and none of them is one of
/// these), for a training that is kept (Pipeline::keep_training), and for a stage that `only` needs and that
/// has not run; what the stages throw.
[[nodiscard]] PipelineOutcome run_pipeline(const Pipeline& pipeline, const Catalog& catalog,
                                           const std::filesystem::path& folder,
                                           const PipelineOptions& options, progress::ProgressSink& progress,
                                           const std::atomic<bool>& stop);

/// Writes costs and scores of the stages that have ended, as run_pipeline() does at last: one that was
/// stopped just before has left none, or those of before.
void write_summary(const Pipeline& pipeline, const std::filesystem::path& folder);

}  // namespace kindred::pipeline
