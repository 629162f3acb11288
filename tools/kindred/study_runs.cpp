#include "study_runs.h"

#include <iostream>

#include "command/machine.h"
#include "study/run_study.h"
#include "study/study_runs.h"

namespace kindred::launcher {

void add_study_options(CLI::App& app, RunOptions& options, const std::string& default_folder) {
  options.add_to(app, default_folder, "Check all recipes and list the runs, but start none");
}

int run_all(const study::Study& study, study::StudyReport report, const std::filesystem::path& folder,
            const RunOptions& options, const Catalog& catalog, Session& session) {
  const auto runs = study::plan_runs(study, options.recipe.overrides(), catalog);
  study::check_runs(runs);
  if (options.dry_run) {
    std::cout << study::list_runs(runs, catalog, folder, options.ignore_code);
    return 0;
  }
  const auto progress = session.make_progress();
  command::prepare_machine(runs.front().plan.machine, *progress);
  const auto outcome = study::run_study(study, runs, report, catalog, folder, options.ignore_code, *progress,
                                        stop_requested());
  if (outcome.interrupted) return Session::interrupted(folder);
  std::cout << outcome.text;
  return outcome.failed > 0 ? 1 : 0;
}

}  // namespace kindred::launcher
