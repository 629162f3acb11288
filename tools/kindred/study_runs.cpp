#include "study_runs.h"

#include <iostream>

#include "command/machine.h"
#include "study/cells.h"

namespace kindred::launcher {

void StudyOptions::add_to(CLI::App& app, const std::string& default_folder) {
  recipe.add_data_root_to(app);
  app.add_option("--run-dir", folder,
                 "Folder of all runs and their results; give the same folder again to continue [" +
                     default_folder + "]")
      ->type_name("DIR");
  app.add_flag("--dry-run", dry_run, "Check all recipes and list the runs, but start none");
  recipe.add_to(app);
}

int run_all(const study::Study& study, command::StudyReport report, const std::filesystem::path& folder,
            const StudyOptions& options, const Catalog& catalog, Session& session) {
  const auto cells = study::plan_cells(study, options.recipe.overrides(), catalog);
  command::check_cells(cells);
  if (options.dry_run) {
    std::cout << command::list_cells(cells, folder);
    return 0;
  }
  const auto progress = session.make_progress();
  command::prepare_machine(cells.front().plan.machine, *progress);
  const auto outcome = command::run_study(study, cells, report, catalog, folder, *progress, stop_requested());
  if (outcome.interrupted) return session.interrupted(folder);
  std::cout << outcome.text;
  return outcome.failed > 0 ? 1 : 0;
}

}  // namespace kindred::launcher
