#include <iostream>
#include <memory>

#include "command.h"
#include "recipe_run.h"
#include "session.h"
#include "stage/train_stage.h"

namespace kindred::launcher {
namespace {

int train(const RecipeRunOptions& options, Session& session) {
  const auto outcome = run_recipe(options, /*only_model=*/true, session);
  if (!outcome.ended) return outcome.exit_code;
  for (const auto& model : stage::trained_models(outcome.folder / "model"))
    std::cout << model.string() << '\n';
  return outcome.exit_code;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<RecipeRunOptions>();
  options->add_to(app);
  return [options](Session& session) { return train(*options, session); };
}

}  // namespace

const Command train_command = {"train", "Train a model, or continue a training that was stopped",
                               add_options};

}  // namespace kindred::launcher
