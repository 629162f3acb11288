#include <filesystem>
#include <iostream>
#include <memory>

#include "command.h"
#include "command/machine.h"
#include "common_options.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"
#include "stage/train.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path file;
  std::filesystem::path run_directory;
  RecipeOptions recipe;
};

int train(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto plan = recipe::make_plan(recipe::load_recipe(options.file, options.recipe.overrides()), catalog);
  const auto progress = session.make_progress();
  command::prepare_machine(plan.machine, *progress);
  const auto folder = run_directory(options.run_directory, plan.name, options.file);
  const auto outcome = stage::train(plan, folder, *progress, stop_requested());
  if (outcome.interrupted) return session.interrupted(folder);
  std::cout << outcome.model.string() << '\n';
  if (!outcome.averaged_model.empty()) std::cout << outcome.averaged_model.string() << '\n';
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_recipe_file(app, options->file);
  options->recipe.add_data_root_to(app);
  add_run_directory(app, options->run_directory, "runs/NAME");
  options->recipe.add_to(app);
  return [options](Session& session) { return train(*options, session); };
}

}  // namespace

const Command train_command = {"train", "Train a model, or continue a training that was stopped",
                               add_options};

}  // namespace kindred::launcher
