#include <filesystem>
#include <iostream>
#include <memory>

#include "command.h"
#include "command/machine.h"
#include "common_options.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_run.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"
#include "stage/train_stage.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path file;
  std::filesystem::path run_directory;
  pipeline::PipelineOptions pipeline;
  RecipeOptions recipe;
};

int train(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto recipe = recipe::load_recipe(options.file, options.recipe.overrides());
  static_cast<void>(recipe::make_plan(recipe, catalog));  // refuses pipelines
  const auto pipeline = pipeline::make_any_pipeline(recipe, catalog);
  const auto progress = session.make_progress();
  command::prepare_machine(pipeline.machine, *progress);
  const auto folder = run_directory(options.run_directory, pipeline.name, options.file);
  auto only_the_model = options.pipeline;
  only_the_model.only = "model";
  const auto outcome =
      pipeline::run_pipeline(pipeline, catalog, folder, only_the_model, *progress, stop_requested());
  if (outcome.interrupted) return session.interrupted(folder);
  for (const auto& model : stage::trained_models(folder / only_the_model.only)) {
    std::cout << model.string() << '\n';
  }
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_recipe_file(app, options->file);
  options->recipe.add_data_root_to(app);
  add_run_directory(app, options->run_directory, "runs/NAME");
  add_from(app, options->pipeline.from);
  add_ignore_code(app, options->pipeline.ignore_code);
  options->recipe.add_to(app);
  return [options](Session& session) { return train(*options, session); };
}

}  // namespace

const Command train_command = {"train", "Train a model, or continue a training that was stopped",
                               add_options};

}  // namespace kindred::launcher
