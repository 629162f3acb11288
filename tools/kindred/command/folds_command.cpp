#include <filesystem>
#include <memory>

#include "command.h"
#include "common_options.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"
#include "study/run_study.h"
#include "study_runs.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path file;
  StudyOptions study;
};

int folds(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.study.run.recipe.plugins.folders);
  const auto plan =
      recipe::make_plan(recipe::load_recipe(options.file, options.study.run.recipe.overrides()), catalog);
  auto folder = run_directory(options.study.run.folder, plan.name, options.file);
  if (options.study.run.folder.empty()) folder += "_folds";
  return run_all(study::all_folds(options.file, plan.folds.count), study::StudyReport::folds, folder,
                 options.study, catalog, session);
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_recipe_file(app, options->file);
  options->study.add_to(app, "runs/NAME_folds");
  return [options](Session& session) { return folds(*options, session); };
}

}  // namespace

const Command folds_command = {
    "folds", "Cross-validate a recipe: train and evaluate it on each fold of its training images",
    add_options};

}  // namespace kindred::launcher
