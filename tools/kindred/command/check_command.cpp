#include <filesystem>
#include <iostream>
#include <memory>

#include "command.h"
#include "command/check.h"
#include "common_options.h"
#include "recipe/recipe.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path file;
  RecipeOptions recipe;
};

int check(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  std::cout << command::check_recipe(recipe::load_recipe(options.file, options.recipe.overrides()), catalog);
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_recipe_file(app, options->file);
  options->recipe.add_data_root_to(app);
  options->recipe.add_to(app);
  return [options](Session& session) { return check(*options, session); };
}

}  // namespace

const Command check_command = {
    "check", "Check a recipe and show what it resolves to; needs neither data nor a GPU", add_options};

}  // namespace kindred::launcher
