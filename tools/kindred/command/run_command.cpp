#include <memory>

#include "command.h"
#include "recipe_run.h"
#include "session.h"

namespace kindred::launcher {
namespace {

int run(const RecipeRunOptions& options, Session& session) {
  const auto outcome = run_recipe(options, /*only_model=*/false, session);
  if (outcome.ended) Session::print(outcome.text);
  return outcome.exit_code;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<RecipeRunOptions>();
  options->add_to(app);
  app.add_option("--only", options->pipeline.only, "Run only this stage")->type_name("STAGE");
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace

const Command run_command = {
    "run", "Train, extract features, rank and evaluate; or run the stages of a pipeline", add_options};

}  // namespace kindred::launcher
