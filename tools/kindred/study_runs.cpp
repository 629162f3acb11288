#include "study_runs.h"

#include <algorithm>
#include <iostream>
#include <vector>

#include "command/machine.h"
#include "study/run_study.h"
#include "study/study_runs.h"
#include "system/child_process.h"
#include "system/processors.h"
#include "system/rank_machine.h"

namespace kindred::launcher {

namespace {

/// This command with --only for one run and its share of the machine. An option that is given twice counts as
/// it was given last.
system::ChildCommand program_of(const study::StudyRun& run, std::int64_t job, const StudyOptions& options,
                                const Session& session) {
  const auto& machine = run.plan.machine;
  auto arguments = session.same_command();
  std::vector<std::string> own{"--jobs", "1", "--only", run.folder.string()};
  if (machine.threads == 0) {
    own.insert(
        own.end(),
        {"--threads", std::to_string(std::max<std::int64_t>(1, system::usable_processors() / options.jobs))});
  }
  if (const auto gpu = system::device_of_job(machine.device, job)) {
    own.insert(own.end(), {"--device", *gpu});
  }
  // What follows "--" is no option.
  arguments.insert(std::find(arguments.begin(), arguments.end(), "--"), own.begin(), own.end());
  return {arguments, {}, system::Output::kept, system::Output::kept};
}

int run_only(const std::vector<study::StudyRun>& runs, const std::filesystem::path& folder,
             const StudyOptions& options, const Catalog& catalog, Session& session) {
  const auto& run = study::run_of(runs, options.only, "--only");
  const auto progress = session.make_progress();
  command::prepare_machine(run.plan.machine, *progress);
  const auto outcome =
      study::run_one(run, catalog, folder, options.run.ignore_code, *progress, stop_requested());
  if (outcome.interrupted) return Session::interrupted(folder / run.folder);
  Session::print(outcome.text);
  return outcome.failed > 0 ? 1 : 0;
}

}  // namespace

void StudyOptions::add_to(CLI::App& app, const std::string& default_folder) {
  run.add_to(app, default_folder, "Check all recipes and list the runs, but start none");
  app.add_option("--jobs", jobs,
                 "Runs that are done at the same time, each with a share of the threads, or a GPU")
      ->check(CLI::Range(1, 1024).description(""))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->type_name("N")
      ->capture_default_str();
  app.add_option(
         "--only", only,
         "Do this run alone, such as 'off/seed1', and write no tables; several commands may do several "
         "runs of a study at the same time")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->type_name("RUN");
}

int run_all(const study::Study& study, study::StudyReport report, const std::filesystem::path& folder,
            const StudyOptions& options, const Catalog& catalog, Session& session) {
  const auto runs = study::plan_runs(study, options.run.recipe.overrides(), catalog);
  if (options.run.dry_run) {
    study::check_runs(runs);
    const auto listed =
        options.only.empty() ? runs : std::vector{study::run_of(runs, options.only, "--only")};
    std::cout << study::list_runs(listed, catalog, folder, options.run.ignore_code);
    return 0;
  }
  if (!options.only.empty()) return run_only(runs, folder, options, catalog, session);
  study::check_runs(runs);
  const auto& machine = runs.front().plan.machine;
  if (machine.ranks > 1) {
    session.note(
        "machine.ranks = " + std::to_string(machine.ranks) +
        " has no effect: each run of a study is one process; --jobs N does several at the same time");
  }
  const auto progress = session.make_progress();
  command::prepare_machine(machine, *progress);
  const study::StudyJobs jobs{
      options.jobs,
      [&](const study::StudyRun& run, std::int64_t job) { return program_of(run, job, options, session); },
      Session::interrupted_exit};
  const auto outcome = study::run_study(study, runs, report, jobs, catalog, folder, options.run.ignore_code,
                                        *progress, stop_requested());
  if (outcome.interrupted) return Session::interrupted(folder);
  Session::print(outcome.text);
  return outcome.failed > 0 ? 1 : 0;
}

}  // namespace kindred::launcher
