#include "command/study.h"

#include <c10/util/Exception.h>

#include <array>
#include <cstdio>
#include <exception>
#include <optional>
#include <set>
#include <utility>

#include "command/run.h"
#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"
#include "stage/train.h"
#include "study/cell_result.h"
#include "study/summary.h"
#include "text/text_table.h"
#include "training/plan_check.h"
#include "training/run_directory.h"

namespace kindred::command {
namespace {

namespace fs = std::filesystem;

/// How far a run has come.
struct CellState {
  enum class Kind { not_begun, begun, trained, done, foreign };
  Kind kind = Kind::not_begun;
  std::optional<study::CellResult> result;  ///< of Kind::done
  /// Kind::foreign: to the recipe of what is there; Kind::trained: to that of an older result.
  std::vector<recipe::RecipeDifference> differences;
};

CellState state_of(const study::Cell& cell, const fs::path& folder) {
  const auto location = folder / cell.folder;
  CellState state;
  state.differences = stage::differences_from_begun(cell.plan, location);
  if (!state.differences.empty()) {
    state.kind = CellState::Kind::foreign;
    return state;
  }
  const auto recipe = study::deciding_recipe(cell.plan);
  auto result = study::read_cell_result(location);
  if (result && result->recipe == recipe) {
    state.kind = CellState::Kind::done;
    state.result = std::move(result);
    return state;
  }
  const bool trained = fs::exists(location / training::model_name);
  if (trained) state.kind = CellState::Kind::trained;
  if (!trained && fs::exists(location / training::checkpoint_name)) state.kind = CellState::Kind::begun;
  if (result) {
    state.differences =
        recipe::recipe_differences(recipe::parse_recipe(result->recipe, location.string(), {}),
                                   recipe::parse_recipe(recipe, "the study", {}));
    // Without its model nothing tells whether the training was another one.
    if (state.kind == CellState::Kind::not_begun) state.kind = CellState::Kind::foreign;
  }
  return state;
}

std::string state_text(const CellState& state) {
  switch (state.kind) {
    case CellState::Kind::not_begun:
      return "to do";
    case CellState::Kind::begun:
      return "started, will continue";
    case CellState::Kind::trained:
      return "trained, to be evaluated";
    case CellState::Kind::done:
      return "done";
    case CellState::Kind::foreign:
      return "belongs to another recipe:" + recipe::differences_text(state.differences);
  }
  return "";
}

std::vector<CellState> states_of(const std::vector<study::Cell>& cells, const fs::path& folder) {
  std::vector<CellState> states;
  for (const auto& cell : cells) states.push_back(state_of(cell, folder));
  return states;
}

void refuse_foreign(const std::vector<study::Cell>& cells, const std::vector<CellState>& states,
                    const fs::path& folder) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (states[i].kind != CellState::Kind::foreign) continue;
    text += "\n" + cells[i].folder.string() + ":" + recipe::differences_text(states[i].differences);
  }
  if (text.empty()) return;
  throw DataError(folder,
                  "contains runs of another recipe; use another --run-dir, revert these changes of the "
                  "recipe, or remove these folders:" +
                      text);
}

std::string percent(double share) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2f", 100 * share);
  return buffer.data();
}

/// Does one run, whatever becomes of it.
class CellRunner {
 public:
  CellRunner(const Catalog& catalog, const fs::path& folder, progress::ProgressSink& progress,
             const std::atomic<bool>& stop)
      : catalog_(catalog), folder_(folder), progress_(progress), stop_(stop) {}

  /// @return false when it was stopped
  [[nodiscard]] bool run(study::CellOutcome& outcome) const {
    const auto fail = [&](const std::string& reason) {
      outcome.failure = reason;
      progress_.note(outcome.cell.folder.string() + " failed: " + reason);
      return true;
    };
    try {
      const auto location = folder_ / outcome.cell.folder;
      const auto made = command::run(outcome.cell.plan, catalog_, location, progress_, stop_);
      if (made.interrupted) return false;
      if (!made.scores) {
        return fail(
            "there are no scores: the queries are unlabeled; validate on folds of the training images "
            "instead");
      }
      study::CellResult result{study::deciding_recipe(outcome.cell.plan), study::CellScores::of(*made.scores),
                               std::nullopt};
      if (made.plain_scores) result.by_descriptors_alone = study::CellScores::of(*made.plain_scores);
      study::write_cell_result(location, result);
      progress_.note(outcome.cell.folder.string() + ": mAP " + percent(result.scores.mean_ap) + ", Rank-1 " +
                     percent(result.scores.rank1));
      outcome.result = std::move(result);
      return true;
    } catch (const c10::Error& error) {
      return fail(std::string("LibTorch: ") + error.what_without_backtrace());
    } catch (const std::exception& error) {
      return fail(error.what());
    }
  }

 private:
  const Catalog& catalog_;
  const fs::path& folder_;
  progress::ProgressSink& progress_;
  const std::atomic<bool>& stop_;
};

std::vector<study::Grid> grids_of(const study::Study& study, const std::vector<study::CellOutcome>& outcomes,
                                  StudyReport report) {
  return report == StudyReport::folds ? study::fold_grids(outcomes) : study::arm_grids(study, outcomes);
}

std::string legend(const study::Study& study, StudyReport report) {
  if (report == StudyReport::folds) return "In percent; deviation: standard deviation over the folds.";
  return std::string("In percent: mean ± standard deviation (runs).") +
         (study.arms.size() > 1
              ? " Differences are to the first arm, over the runs with the same seed and fold."
              : "");
}

std::string failures_text(const std::vector<study::CellOutcome>& outcomes) {
  std::string text;
  for (const auto& outcome : outcomes) {
    if (outcome.failure.empty()) continue;
    text += "- " + outcome.cell.folder.string() + " failed: " + outcome.failure + "\n";
  }
  return text;
}

std::string report_name(StudyReport report) {
  return report == StudyReport::folds ? "folds" : "study";
}

void write_report(const study::Study& study, const std::vector<study::CellOutcome>& outcomes,
                  StudyReport report, const fs::path& folder) {
  const auto failures = failures_text(outcomes);
  file::write_atomically(folder / (report_name(report) + ".md"), [&](std::ostream& out) {
    for (const auto& grid : grids_of(study, outcomes, report)) out << grid.markdown() << "\n";
    out << legend(study, report) << "\n";
    if (!failures.empty()) out << "\n" << failures;
  });
  file::write_atomically(folder / (report_name(report) + ".csv"),
                         [&](std::ostream& out) { study::write_study_csv(out, study, outcomes); });
}

}  // namespace

study::Study all_folds(const fs::path& recipe, std::int64_t count) {
  study::Study study;
  study.recipe = recipe;
  study.arms.emplace_back();
  for (std::int64_t fold = 1; fold <= count; ++fold)
    study.folds.emplace_back(fold, SourceLocation{recipe.string()});
  return study;
}

void check_cells(const std::vector<study::Cell>& cells) {
  Diagnostics diagnostics;
  std::set<std::size_t> arms;
  std::set<std::string> told;
  for (const auto& cell : cells) {
    if (!arms.insert(cell.arm).second) continue;
    try {
      static_cast<void>(training::check_plan(cell.plan));
    } catch (const RecipeError& error) {
      for (const auto& found : error.diagnostics()) {
        if (told.insert(found.str()).second) diagnostics.error(found.location, found.message);
      }
    }
  }
  diagnostics.throw_if_any();
}

std::string list_cells(const std::vector<study::Cell>& cells, const fs::path& folder) {
  text::TextTable table;
  table.heads = {"RUN", "STATE"};
  table.widths = {80};
  std::size_t done = 0;
  for (const auto& cell : cells) {
    const auto state = state_of(cell, folder);
    if (state.kind == CellState::Kind::done) ++done;
    table.rows.push_back({(folder / cell.folder).string(), state_text(state)});
  }
  return table.str() + std::to_string(done) + " of " + std::to_string(cells.size()) + " runs are done\n";
}

StudyOutcome run_study(const study::Study& study, const std::vector<study::Cell>& cells, StudyReport report,
                       const Catalog& catalog, const fs::path& folder, progress::ProgressSink& progress,
                       const std::atomic<bool>& stop) {
  const training::RunDirectory lock(folder);
  auto states = states_of(cells, folder);
  refuse_foreign(cells, states, folder);
  std::vector<study::CellOutcome> outcomes;
  for (std::size_t i = 0; i < cells.size(); ++i)
    outcomes.push_back({cells[i], std::move(states[i].result), ""});

  StudyOutcome study_outcome;
  const CellRunner runner(catalog, folder, progress, stop);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto& outcome = outcomes[i];
    const auto which = "run " + std::to_string(i + 1) + " of " + std::to_string(outcomes.size()) + ", " +
                       outcome.cell.folder.string();
    if (outcome.result) {
      progress.note(which + ": already done");
      continue;
    }
    if (states[i].kind == CellState::Kind::trained && !states[i].differences.empty()) {
      progress.note(which + ": evaluating again, since the recipe has changed after the training:" +
                    recipe::differences_text(states[i].differences));
    } else {
      progress.note(which);
    }
    study_outcome.interrupted = stop || !runner.run(outcome);
    write_report(study, outcomes, report, folder);
    if (study_outcome.interrupted) break;
    if (!outcome.failure.empty()) ++study_outcome.failed;
  }
  write_report(study, outcomes, report, folder);

  for (const auto& grid : grids_of(study, outcomes, report)) study_outcome.text += grid.text() + "\n";
  study_outcome.text += legend(study, report) + "\n" + failures_text(outcomes);
  text::TextTable places;
  places.widths = {20};
  places.rows = {{"table", (folder / (report_name(report) + ".md")).string()},
                 {"each run", (folder / (report_name(report) + ".csv")).string()},
                 {"runs", folder.string()}};
  study_outcome.text += "\n" + places.str();
  return study_outcome;
}

}  // namespace kindred::command
