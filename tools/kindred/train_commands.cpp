// train, run: from a recipe to a model, and on to scores.
#include <filesystem>
#include <iostream>

#include "command/run.h"
#include "commands.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
#include "session.h"
#include "stage/train.h"
#include "system/device.h"

namespace kindred::launcher {
namespace {

int interrupted(const Options& options, const std::filesystem::path& folder) {
  if (!options.quiet) {
    std::cerr << "stopped; what is done is in " << folder.string()
              << ", and the same command goes on from there\n";
  }
  return interrupted_exit;
}

}  // namespace

int train_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto plan = plan_recipe(read_recipe(options), plugins);
  const auto progress = progress::make_stderr_progress(options.quiet);
  use_machine(plan.machine, *progress);
  const auto folder = run_directory(options, plan.name);
  const auto outcome = stage::train(plan, folder, *progress, stop_requested());
  if (outcome.interrupted) return interrupted(options, folder);
  std::cout << outcome.model.string() << '\n';
  if (!outcome.averaged_model.empty()) std::cout << outcome.averaged_model.string() << '\n';
  return 0;
}

namespace {

/// Options that mean something for a pipeline alone.
void refuse_pipeline_options(const Options& options) {
  const char* given = options.dry_run         ? "--dry-run"
                      : !options.from.empty() ? "--from"
                      : !options.only.empty() ? "--only"
                      : options.ignore_code   ? "--ignore-code"
                                              : nullptr;
  if (given == nullptr) return;
  throw RecipeError({given, 0, 0}, "is for recipes with stages, [[stage]]; " + options.recipe.string() +
                                       " is a recipe for one model");
}

int run_stages(const Options& options, const Value& recipe, const plugin::LoadedPlugins& plugins) {
  const auto pipeline = plan_pipeline_recipe(recipe, plugins);
  const auto progress = progress::make_stderr_progress(options.quiet);
  use_machine(pipeline.machine, *progress);
  const auto folder = run_directory(options, pipeline.name);
  const pipeline::PipelineOptions wanted{options.from, options.only, options.ignore_code};
  if (options.dry_run) {
    std::cout << pipeline::plan_text(pipeline::plan_pipeline(pipeline, plugins.catalog, folder, wanted));
    return 0;
  }
  const auto outcome =
      pipeline::run_pipeline(pipeline, plugins.catalog, folder, wanted, *progress, stop_requested());
  if (outcome.interrupted) return interrupted(options, folder);
  std::cout << outcome.text;
  return 0;
}

}  // namespace

int run_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto recipe = read_recipe(options);
  if (pipeline::is_pipeline(recipe)) return run_stages(options, recipe, plugins);
  refuse_pipeline_options(options);
  const auto plan = plan_recipe(recipe, plugins);
  const auto progress = progress::make_stderr_progress(options.quiet);
  use_machine(plan.machine, *progress);
  const auto folder = run_directory(options, plan.name);
  const auto outcome = command::run(plan, plugins.catalog, folder, *progress, stop_requested());
  if (outcome.interrupted) return interrupted(options, folder);
  std::cout << outcome.text;
  return 0;
}

}  // namespace kindred::launcher
