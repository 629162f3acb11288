#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "command.h"
#include "command/machine.h"
#include "command/run.h"
#include "common_options.h"
#include "kindred/core/error.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path file;
  std::filesystem::path run_directory;
  pipeline::PipelineOptions pipeline;
  bool dry_run = false;
  RecipeOptions recipe;
};

/// Options that only a pipeline has a use for.
void refuse_pipeline_options(const Options& options) {
  const char* given = options.dry_run                  ? "--dry-run"
                      : !options.pipeline.from.empty() ? "--from"
                      : !options.pipeline.only.empty() ? "--only"
                      : options.pipeline.ignore_code   ? "--ignore-code"
                                                       : nullptr;
  if (given == nullptr) return;
  throw RecipeError({given, 0, 0}, "applies only to recipes with stages ([[stage]]); " +
                                       options.file.string() + " is a recipe for one model");
}

int run_pipeline(const Options& options, const Value& recipe, const Catalog& catalog, Session& session) {
  const auto pipeline = pipeline::make_pipeline(recipe, catalog);
  const auto progress = session.make_progress();
  command::prepare_machine(pipeline.machine, *progress);
  const auto folder = run_directory(options.run_directory, pipeline.name, options.file);
  if (options.dry_run) {
    std::cout << pipeline::plan_text(pipeline::plan_pipeline(pipeline, catalog, folder, options.pipeline));
    return 0;
  }
  const auto outcome =
      pipeline::run_pipeline(pipeline, catalog, folder, options.pipeline, *progress, stop_requested());
  if (outcome.interrupted) return session.interrupted(folder);
  std::cout << outcome.text;
  return 0;
}

int run(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto recipe = recipe::load_recipe(options.file, options.recipe.overrides());
  if (pipeline::is_pipeline(recipe)) return run_pipeline(options, recipe, catalog, session);
  refuse_pipeline_options(options);
  const auto plan = recipe::make_plan(recipe, catalog);
  const auto progress = session.make_progress();
  command::prepare_machine(plan.machine, *progress);
  const auto folder = run_directory(options.run_directory, plan.name, options.file);
  const auto outcome = command::run(plan, catalog, folder, *progress, stop_requested());
  if (outcome.interrupted) return session.interrupted(folder);
  std::cout << outcome.text;
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_recipe_file(app, options->file);
  options->recipe.add_data_root_to(app);
  add_run_directory(app, options->run_directory, "runs/NAME");
  app.add_flag("--dry-run", options->dry_run, "Pipeline: show which stages would run and why, but run none");
  app.add_option("--from", options->pipeline.from,
                 "Pipeline: run this stage and all stages that depend on it again")
      ->type_name("STAGE");
  app.add_option("--only", options->pipeline.only, "Pipeline: run only this stage")->type_name("STAGE");
  app.add_flag("--ignore-code", options->pipeline.ignore_code,
               "Pipeline: accept results from another build of Kindred or its plugins as up to date");
  options->recipe.add_to(app);
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace

const Command run_command = {
    "run", "Train, extract features, rank and evaluate; or run the stages of a pipeline", add_options};

}  // namespace kindred::launcher
