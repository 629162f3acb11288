// train, run: from a recipe to a model, and on to scores.
#include <iostream>
#include <optional>

#include "command/run.h"
#include "commands.h"
#include "session.h"
#include "stage/train.h"
#include "system/device.h"

namespace kindred::launcher {
namespace {

int interrupted(const Options& options, const std::filesystem::path& folder) {
  if (!options.quiet) {
    std::cerr << "stopped; a checkpoint is in " << folder.string()
              << ", and the same command goes on from there\n";
  }
  return interrupted_exit;
}

}  // namespace

int train_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto plan = plan_recipe(read_recipe(options), plugins);
  const auto progress = make_stderr_progress(options.quiet);
  use_machine(plan.machine, *progress);
  const auto folder = run_directory(options, plan);
  const auto outcome = train(plan, folder, *progress, stop_requested());
  if (outcome.interrupted) return interrupted(options, folder);
  std::cout << outcome.model.string() << '\n';
  if (!outcome.averaged_model.empty()) std::cout << outcome.averaged_model.string() << '\n';
  return 0;
}

int run_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto plan = plan_recipe(read_recipe(options), plugins);
  const auto progress = make_stderr_progress(options.quiet);
  use_machine(plan.machine, *progress);
  const auto folder = run_directory(options, plan);
  const auto outcome = run(plan, plugins.catalog, folder, *progress, stop_requested());
  if (outcome.interrupted) return interrupted(options, folder);
  std::cout << outcome.text;
  return 0;
}

}  // namespace kindred::launcher
