// train, run: from a recipe to a model, and on to scores.
#include <filesystem>
#include <iostream>

#include "commands.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
#include "session.h"
#include "stage/train_stage.h"

namespace kindred::launcher {
namespace {

int interrupted(const Options& options, const std::filesystem::path& folder) {
  if (!options.quiet) {
    std::cerr << "stopped; what is done is in " << folder.string()
              << ", and the same command continues from there\n";
  }
  return interrupted_exit;
}

}  // namespace

int train_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto recipe = read_recipe(options);
  static_cast<void>(plan_recipe(recipe, plugins));  // a pipeline is not what is trained here
  const auto pipeline = plan_pipeline_recipe(recipe, plugins);
  const auto progress = progress::make_stderr_progress(options.quiet);
  use_machine(pipeline.machine, *progress);
  const auto folder = run_directory(options, pipeline.name);
  pipeline::PipelineOptions only_the_model;
  only_the_model.only = "model";
  only_the_model.from = options.from;
  only_the_model.ignore_code = options.ignore_code;
  const auto outcome =
      pipeline::run_pipeline(pipeline, plugins.catalog, folder, only_the_model, *progress, stop_requested());
  if (outcome.interrupted) return interrupted(options, folder);
  for (const auto& model : stage::trained_models(folder / only_the_model.only)) {
    std::cout << model.string() << '\n';
  }
  return 0;
}

int run_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto pipeline = plan_pipeline_recipe(read_recipe(options), plugins);
  const auto progress = progress::make_stderr_progress(options.quiet);
  use_machine(pipeline.machine, *progress);
  const auto folder = run_directory(options, pipeline.name);
  pipeline::PipelineOptions wanted;
  wanted.from = options.from;
  wanted.only = options.only;
  wanted.ignore_code = options.ignore_code;
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

}  // namespace kindred::launcher
