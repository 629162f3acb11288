// folds, study: many runs of one recipe.
#include <filesystem>
#include <iostream>

#include "commands.h"
#include "session.h"
#include "study/run_study.h"
#include "study/study.h"

namespace kindred::launcher {
namespace {

int carry_out(const study::Study& study, study::StudyReport report, const std::filesystem::path& folder,
              const Options& options, const plugin::LoadedPlugins& plugins) {
  const auto runs = plan_study(study, options, plugins);
  study::check_runs(runs);
  if (options.dry_run) {
    std::cout << study::list_runs(runs, plugins.catalog, folder, options.ignore_code);
    return 0;
  }
  const auto progress = progress::make_stderr_progress(options.quiet);
  use_machine(runs.front().plan.machine, *progress);
  const auto outcome = study::run_study(study, runs, report, plugins.catalog, folder, options.ignore_code,
                                        *progress, stop_requested());
  if (outcome.interrupted) {
    if (!options.quiet) {
      std::cerr << "stopped; what is done is in " << folder.string()
                << ", and the same command continues from there\n";
    }
    return interrupted_exit;
  }
  std::cout << outcome.text;
  return outcome.failed > 0 ? 1 : 0;
}

}  // namespace

int folds_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto plan = plan_recipe(read_recipe(options), plugins);
  auto folder = run_directory(options, plan.name);
  if (options.run_directory.empty()) folder += "_folds";
  return carry_out(study::all_folds(options.recipe, plan.folds.count), study::StudyReport::folds, folder,
                   options, plugins);
}

int study_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto folder = options.run_directory.empty() ? std::filesystem::path("runs") / options.study.stem()
                                                    : options.run_directory;
  return carry_out(study::read_study(options.study), study::StudyReport::variants, folder, options, plugins);
}

}  // namespace kindred::launcher
