#include "recipe_run.h"

#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include "command/machine.h"
#include "file/command_inputs.h"
#include "joined_ranks.h"
#include "local_ranks.h"
#include "pipeline/follow.h"
#include "pipeline/pipeline.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

namespace kindred::launcher {
namespace {

/// Throws RecipeError when the recipe lies where a run leaves its own, with what it extends merged in. In the
/// folder of a run, which has a lock, it is that one.
void require_recipe_kept(const std::filesystem::path& recipe, const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::exists(folder / ".lock", error)) return;
  file::CommandInputs inputs;
  inputs.add(recipe);
  inputs.require_kept("--run-dir", folder / "pipeline.toml");
}

}  // namespace

void RecipeRunOptions::add_to(CLI::App& app) {
  add_recipe_file(app, file);
  app.add_option("--from", pipeline.from, "Run this stage and all stages that depend on it again")
      ->type_name("STAGE");
  run.add_to(app, "runs/NAME", "Show which stages would run and why, but run none");
  run.recipe.add_ranks_to(app);
}

RecipeRun run_recipe(const RecipeRunOptions& options, bool only_model, Session& session) {
  const auto recipe = recipe::load_recipe(options.file, options.run.recipe.overrides());
  if (const auto code = run_local_ranks(options.run.dry_run ? 1 : asked_ranks(recipe), session)) {
    return {.exit_code = *code};
  }
  const auto& catalog = session.load_plugins(options.run.recipe.plugins.folders);
  if (only_model) static_cast<void>(recipe::make_plan(recipe, catalog));  // refuses pipelines
  const auto pipeline = pipeline::make_any_pipeline(recipe, catalog);
  RecipeRun run;
  run.folder = run_directory(options.run.folder, pipeline.name, options.file);
  require_recipe_kept(options.file, run.folder);
  JoinedRanks joined(session);
  const auto& ranks = joined.ranks();
  auto& progress = joined.progress();
  command::prepare_machine(pipeline.machine, progress);
  auto stages = options.pipeline;
  stages.ranks = &ranks;
  stages.ignore_code = options.run.ignore_code;
  if (only_model) stages.only = "model";
  if (!ranks.is_first()) {
    if (options.run.dry_run) return run;
    if (pipeline::follow_pipeline(pipeline, catalog, run.folder, ranks, progress, stop_requested())) {
      run.exit_code = Session::interrupted_exit;
    }
    return run;
  }
  if (options.run.dry_run) {
    std::cout << pipeline::plan_text(pipeline::plan_pipeline(pipeline, catalog, run.folder, stages));
    return run;
  }
  auto outcome = pipeline::run_pipeline(pipeline, catalog, run.folder, stages, progress, stop_requested());
  if (outcome.interrupted) {
    run.exit_code = Session::interrupted(run.folder);
  } else {
    run.ended = true;
    run.text = std::move(outcome.text);
  }
  return run;
}

}  // namespace kindred::launcher
