#include <filesystem>
#include <iostream>
#include <memory>

#include "command.h"
#include "command/machine.h"
#include "common_options.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
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

int run(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto pipeline =
      pipeline::make_any_pipeline(recipe::load_recipe(options.file, options.recipe.overrides()), catalog);
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

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_recipe_file(app, options->file);
  options->recipe.add_data_root_to(app);
  add_run_directory(app, options->run_directory, "runs/NAME");
  app.add_flag("--dry-run", options->dry_run, "Show which stages would run and why, but run none");
  add_from(app, options->pipeline.from);
  app.add_option("--only", options->pipeline.only, "Run only this stage")->type_name("STAGE");
  add_ignore_code(app, options->pipeline.ignore_code);
  options->recipe.add_to(app);
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace

const Command run_command = {
    "run", "Train, extract features, rank and evaluate; or run the stages of a pipeline", add_options};

}  // namespace kindred::launcher
