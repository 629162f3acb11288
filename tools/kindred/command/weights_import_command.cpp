#include <cstdint>
#include <filesystem>
#include <memory>

#include "command.h"
#include "command/weights.h"
#include "common_options.h"
#include "file/command_inputs.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  command::ImportOptions request;
  std::filesystem::path recipe_file;
  RecipeOptions recipe;
};

int import_weights(const Options& options, Session& session) {
  file::CommandInputs inputs;
  inputs.add(options.request.file);
  inputs.add(options.recipe_file);
  inputs.require_kept("--out", options.request.out);
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto recipe = recipe::load_recipe(options.recipe_file, options.recipe.overrides());
  const auto outcome = command::import_weights(recipe::make_plan(recipe, catalog), options.request);
  Session::print(outcome.text);
  return outcome.written ? 0 : 1;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto& request = options->request;
  app.add_option("FILE", request.file, "The weight file of the other program")->required()->type_name("FILE");
  app.add_option("--recipe", options->recipe_file, "The recipe of the model, which defines the network")
      ->required()
      ->type_name("FILE");
  app.add_option("--out", request.out, "The model file to write: NAME.safetensors")
      ->required()
      ->type_name("FILE");
  add_repeatable(app, "--allow-missing", request.allowed.missing,
                 "Tensors of the network that the file may lack or contain in another shape, such as "
                 "'head.classifier*'")
      ->type_name("PATTERN");
  add_repeatable(app, "--allow-unused", request.allowed.unused,
                 "Tensors of the file that the network need not have a place for, such as 'auxiliary.*'")
      ->type_name("PATTERN");
  app.add_option("--identities", request.identities, "Identities of the classifiers [as in the file]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}).description(""))
      ->type_name("N");
  app.add_option("--cameras", request.cameras,
                 "Numbers of the cameras that the network was trained with, where it uses them")
      ->delimiter(',')
      ->type_name("N,N,...");
  app.add_option("--views", request.views, "The same for viewpoints")->delimiter(',')->type_name("N,N,...");
  add_weights_key(app, request.key);
  options->recipe.add_to(app, Computing::nothing);
  return [options](Session& session) { return import_weights(*options, session); };
}

}  // namespace

const Command weights_import_command = {
    "weights import", "Convert the weights of another program into a model file; every tensor must match",
    add_options};

}  // namespace kindred::launcher
