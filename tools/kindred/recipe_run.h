// What the commands run and train share.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "common_options.h"
#include "pipeline/pipeline_run.h"
#include "session.h"

namespace kindred::launcher {

struct RecipeRunOptions {
  std::filesystem::path file;
  pipeline::PipelineOptions pipeline;
  RunOptions run;

  /// RECIPE, --from and RunOptions.
  void add_to(CLI::App& app);
};

struct RecipeRun {
  int exit_code = 0;
  bool ended = false;  ///< all stages have run: neither a dry run nor stopped
  std::filesystem::path folder;
  std::string text;  ///< costs, scores and where the results lie
};

/// Runs the stages of a recipe, or says what would run.
/// @param only_model a plain recipe's training alone
[[nodiscard]] RecipeRun run_recipe(const RecipeRunOptions& options, bool only_model, Session& session);

}  // namespace kindred::launcher
