#include "study/run_study.h"

#include <algorithm>
#include <exception>
#include <ostream>
#include <set>

#include "file/atomic_file.h"
#include "file/folder_lock.h"
#include "kindred/core/error.h"
#include "pipeline/file_hashes.h"
#include "pipeline/pipeline_run.h"
#include "results/evaluation_text.h"
#include "study/run_scores.h"
#include "study/side_by_side.h"
#include "study/summary.h"
#include "system/exception_text.h"
#include "text/text_table.h"
#include "training/plan_check.h"

namespace kindred::study {
namespace {

namespace fs = std::filesystem;

using StageKind = pipeline::StageState::Kind;

/// How far a run has come.
struct RunState {
  bool done = false;
  std::string text;     ///< for people
  std::string refusal;  ///< why the run cannot be done here; "" when it can
};

/// What all runs of a study are carried out with.
pipeline::PipelineOptions options_of(bool ignore_code, pipeline::FileHashes& hashes) {
  pipeline::PipelineOptions options;
  options.ignore_code = ignore_code;
  options.hashes = &hashes;
  return options;
}

/// For a cell of a table.
std::string one_line(std::string text) {
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) {
    const auto end = std::min(text.find_first_not_of(' ', at + 1), text.size());
    const bool after_colon = at > 0 && text[at - 1] == ':';
    text.replace(at, end - at, after_colon ? " " : "; ");
  }
  return text;
}

RunState state_of(const StudyRun& run, const Catalog& catalog, const fs::path& folder,
                  const pipeline::PipelineOptions& options) {
  try {
    const auto stages = pipeline::state_of_pipeline(*run.pipeline, catalog, folder / run.folder, options);
    const auto is = [&](std::size_t stage, StageKind kind) { return stages.at(stage).state.kind == kind; };
    const bool done = std::all_of(stages.begin(), stages.end(), [](const pipeline::PlannedStage& stage) {
      // With a reason it is an earlier result that would have to be taken back first.
      return stage.state.kind == StageKind::up_to_date && stage.state.reason.empty();
    });
    if (done) return {true, "done", ""};
    if (is(0, StageKind::up_to_date)) return {false, "trained, to be evaluated", ""};
    return {false, is(0, StageKind::goes_on) ? "started, will continue" : "to do", ""};
  } catch (const pipeline::KeptTrainingError& error) {
    return {false, one_line(error.what()), error.what()};
  } catch (const Error& error) {
    return {false, one_line(error.what()), ""};  // the run itself will fail with it
  }
}

void refuse_foreign(const std::vector<RunState>& states, const fs::path& folder) {
  std::string text;
  for (const auto& state : states) {
    if (!state.refusal.empty()) text += "\n  " + state.refusal;
  }
  if (text.empty()) return;
  throw DataError(folder,
                  "contains runs that cannot be continued; use another --run-dir, revert the changes listed "
                  "here, or remove these folders:" +
                      text);
}

/// "mAP 48.53 %, Rank-1 63.70 %"
std::string headlines_text(const results::Evaluation& scores) {
  std::string text;
  for (const auto& figure : scores.figures) {
    if (figure.info.prominence != Prominence::headline) continue;
    text += (text.empty() ? "" : ", ") + figure.info.label + " " +
            results::figure_text(figure.info.kind, figure.value);
  }
  return text;
}

/// What a run's scores are, a line for each test set; "" when it has none.
std::string scores_text(const RunOutcome& outcome) {
  std::string text;
  for (const auto& result : outcome.results) {
    text += (text.empty() ? "" : "\n") + outcome.run.folder.string() +
            (result.test_set.empty() ? "" : ", tested on " + result.test_set) + ": " +
            headlines_text(result.scores);
  }
  return text;
}

/// Does one run, whatever becomes of it.
class StudyRunner {
 public:
  StudyRunner(const Catalog& catalog, const fs::path& folder, const pipeline::PipelineOptions& options,
              progress::ProgressSink& progress, const std::atomic<bool>& stop)
      : catalog_(catalog), folder_(folder), options_(options), progress_(progress), stop_(stop) {}

  /// @return false when it was stopped
  [[nodiscard]] bool run(RunOutcome& outcome) const {
    const auto fail = [&](const std::string& reason) {
      outcome.failure = reason;
      progress_.note(failure_head(outcome.run) + reason);
      return true;
    };
    try {
      const auto location = folder_ / outcome.run.folder;
      const auto made =
          pipeline::run_pipeline(*outcome.run.pipeline, catalog_, location, options_, progress_, stop_);
      if (made.interrupted) return false;
      outcome.results = scores_in(location, outcome.run.plan);
      if (outcome.results.empty()) {
        return fail(
            "there are no scores: the queries are unlabeled; validate on folds of the training images "
            "instead");
      }
      progress_.note(scores_text(outcome));
      return true;
    } catch (const std::exception& error) {
      return fail(system::exception_text(error));
    }
  }

 private:
  const Catalog& catalog_;
  const fs::path& folder_;
  const pipeline::PipelineOptions& options_;
  progress::ProgressSink& progress_;
  const std::atomic<bool>& stop_;
};

std::vector<Grid> grids_of(const Study& study, const std::vector<RunOutcome>& outcomes, StudyReport report) {
  return report == StudyReport::folds ? fold_grids(outcomes) : variant_grids(study, outcomes);
}

std::string legend(const Study& study, const std::vector<RunOutcome>& outcomes, StudyReport report) {
  if (report == StudyReport::folds) return "Shares in percent; deviation: standard deviation over the folds.";
  std::string text = "Mean ± standard deviation (runs), shares in percent.";
  if (study.variants.size() < 2) return text;
  text += " Differences are to the first variant, over the runs with the same seed and fold.";
  const auto incomparable = incomparable_variants(study, outcomes);
  if (incomparable.empty()) return text;
  return text + " Of " + quoted_list(incomparable) +
         " there are none, or of fewer runs: evaluated on other queries or another gallery, or with other "
         "settings of [evaluate], scores are not comparable.";
}

std::string failures_text(const std::vector<RunOutcome>& outcomes) {
  std::string text;
  for (const auto& outcome : outcomes) {
    if (outcome.failure.empty()) continue;
    text += "- " + outcome.run.folder.string() + " failed: " + outcome.failure + "\n";
  }
  return text;
}

std::string report_name(StudyReport report) {
  return report == StudyReport::folds ? "folds" : "study";
}

void write_report(const Study& study, const std::vector<RunOutcome>& outcomes, StudyReport report,
                  const fs::path& folder) {
  const auto failures = failures_text(outcomes);
  file::write_atomically(folder / (report_name(report) + ".md"), [&](std::ostream& out) {
    for (const auto& grid : grids_of(study, outcomes, report)) out << grid.markdown() << "\n";
    out << legend(study, outcomes, report) << "\n";
    if (!failures.empty()) out << "\n" << failures;
  });
  file::write_atomically(folder / (report_name(report) + ".csv"),
                         [&](std::ostream& out) { write_study_csv(out, study, outcomes); });
}

}  // namespace

Study all_folds(const fs::path& recipe, std::int64_t count) {
  Study study;
  study.called = "kindred folds";
  study.recipe = recipe;
  study.variants.emplace_back();
  for (std::int64_t fold = 1; fold <= count; ++fold)
    study.folds.emplace_back(fold, SourceLocation{recipe.string()});
  return study;
}

void check_runs(const std::vector<StudyRun>& runs) {
  Diagnostics diagnostics;
  std::set<std::size_t> variants;
  std::set<std::string> told;
  for (const auto& run : runs) {
    if (!variants.insert(run.variant).second) continue;
    try {
      static_cast<void>(training::check_plan(run.plan));
    } catch (const RecipeError& error) {
      for (const auto& found : error.diagnostics()) {
        if (told.insert(found.str()).second) diagnostics.error(found.location, found.message);
      }
    }
  }
  diagnostics.throw_if_any();
}

std::string list_runs(const std::vector<StudyRun>& runs, const Catalog& catalog, const fs::path& folder,
                      bool ignore_code) {
  pipeline::FileHashes hashes(folder / pipeline::file_hashes_name);
  const auto options = options_of(ignore_code, hashes);
  text::TextTable table;
  table.heads = {"RUN", "STATE"};
  table.widths = {80};
  std::size_t done = 0;
  for (const auto& run : runs) {
    const auto state = state_of(run, catalog, folder, options);
    if (state.done) ++done;
    table.rows.push_back({(folder / run.folder).string(), state.text});
  }
  return table.str() + std::to_string(done) + " of " + std::to_string(runs.size()) + " runs are done\n";
}

StudyOutcome run_study(const Study& study, const std::vector<StudyRun>& runs, StudyReport report,
                       const StudyJobs& jobs, const Catalog& catalog, const fs::path& folder,
                       bool ignore_code, progress::ProgressSink& progress, const std::atomic<bool>& stop) {
  const file::FolderLock lock(folder);
  pipeline::FileHashes hashes(folder / pipeline::file_hashes_name);
  const auto options = options_of(ignore_code, hashes);
  std::vector<RunState> states;
  for (const auto& run : runs) states.push_back(state_of(run, catalog, folder, options));
  refuse_foreign(states, folder);
  std::vector<RunOutcome> outcomes;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    outcomes.push_back({runs[i], {}, ""});
    if (states[i].done) outcomes.back().results = scores_in(folder / runs[i].folder, runs[i].plan);
  }

  StudyOutcome study_outcome;
  const auto which = [&](const RunOutcome& outcome) {
    return "run " + std::to_string(&outcome - outcomes.data() + 1) + " of " +
           std::to_string(outcomes.size()) + ", " + outcome.run.folder.string();
  };
  const auto ended = [&](const RunOutcome& outcome) {
    if (!outcome.failure.empty()) ++study_outcome.failed;
    write_report(study, outcomes, report, folder);
  };
  std::vector<RunOutcome*> to_do;
  for (auto& outcome : outcomes) {
    if (outcome.results.empty()) {
      to_do.push_back(&outcome);
    } else {
      pipeline::write_summary(*outcome.run.pipeline, folder / outcome.run.folder);
      progress.note(which(outcome) + ": already done");
    }
  }
  if (jobs.count > 1) {
    hashes.save();  // for the programs
    SideBySide side_by_side(jobs, folder, progress, stop, ended);
    study_outcome.interrupted =
        !side_by_side.run(to_do, [&](const RunOutcome& outcome) { progress.note(which(outcome)); });
  } else {
    const StudyRunner runner(catalog, folder, options, progress, stop);
    for (auto* outcome : to_do) {
      progress.note(which(*outcome));
      study_outcome.interrupted = stop || !runner.run(*outcome);
      ended(*outcome);
      if (study_outcome.interrupted) break;
    }
  }
  write_report(study, outcomes, report, folder);

  for (const auto& grid : grids_of(study, outcomes, report)) study_outcome.text += grid.text() + "\n";
  study_outcome.text += legend(study, outcomes, report) + "\n" + failures_text(outcomes);
  text::TextTable places;
  places.widths = {20};
  places.rows = {{"table", (folder / (report_name(report) + ".md")).string()},
                 {"each run", (folder / (report_name(report) + ".csv")).string()},
                 {"runs", folder.string()}};
  study_outcome.text += "\n" + places.str();
  return study_outcome;
}

StudyOutcome run_one(const StudyRun& run, const Catalog& catalog, const fs::path& folder, bool ignore_code,
                     progress::ProgressSink& progress, const std::atomic<bool>& stop) {
  pipeline::FileHashes hashes(folder / pipeline::file_hashes_name);
  const auto options = options_of(ignore_code, hashes);
  refuse_foreign({state_of(run, catalog, folder, options)}, folder);
  RunOutcome outcome{run, {}, ""};
  StudyOutcome study_outcome;
  study_outcome.interrupted = !StudyRunner(catalog, folder, options, progress, stop).run(outcome);
  study_outcome.failed = outcome.failure.empty() ? 0 : 1;
  study_outcome.text =
      (outcome.failure.empty() ? scores_text(outcome) : failure_head(run) + outcome.failure) + "\n";
  return study_outcome;
}

const StudyRun& run_of(const std::vector<StudyRun>& runs, const std::string& name,
                       const std::string& option) {
  std::vector<std::string> names;
  for (const auto& run : runs) {
    names.push_back(run.folder.string());
    if (names.back() == name) return run;
  }
  const auto near = nearest_name(name, names);
  throw RecipeError({option + " " + name, 0, 0},
                    "the study has no such run; " +
                        (near.empty() ? "choose " + quoted_list(names) : "did you mean '" + near + "'?"));
}

}  // namespace kindred::study
