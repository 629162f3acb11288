// What every command does around its work: plugins, recipes, progress, signals.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/value.h"
#include "options.h"
#include "pipeline/pipeline.h"
#include "plugin/plugin_loader.h"
#include "progress/progress.h"
#include "recipe/plan.h"
#include "study/study_runs.h"

namespace kindred::launcher {

/// Loads the plugins and says on stderr which were refused.
[[nodiscard]] plugin::LoadedPlugins load_plugins(const Options& options);

/// The recipe with the command line's overrides.
[[nodiscard]] Value read_recipe(const Options& options);

/// A recipe's data set, or what a folder, manifest or recipe given by path holds; says on stdout how a folder
/// was read.
[[nodiscard]] std::unique_ptr<Dataset> dataset_at(const std::filesystem::path& path,
                                                  const std::vector<std::string>& overrides,
                                                  const plugin::LoadedPlugins& plugins);

/// Resolves a recipe. When a component is missing and a plugin was refused, which may have offered it, throws
/// PluginError instead of RecipeError.
[[nodiscard]] recipe::Plan plan_recipe(const Value& recipe, const plugin::LoadedPlugins& plugins);

/// The same for what a recipe says of searching a gallery.
[[nodiscard]] recipe::RankingPlan plan_ranking(const Value& recipe, const plugin::LoadedPlugins& plugins);

/// The same for a recipe as a pipeline, be it one or plain.
[[nodiscard]] pipeline::Pipeline plan_pipeline_recipe(const Value& recipe,
                                                      const plugin::LoadedPlugins& plugins);

/// --run-dir, or runs/NAME, or runs/ and the recipe's file without its ending.
/// @param name the recipe's own, or ""
[[nodiscard]] std::filesystem::path run_directory(const Options& options, const std::string& name);

/// The same for all runs of a study.
[[nodiscard]] std::vector<study::StudyRun> plan_study(const study::Study& study, const Options& options,
                                                      const plugin::LoadedPlugins& plugins);

/// Sets the threads and warns when matrices are multiplied by a slow library.
void use_machine(const recipe::MachineSettings& machine, progress::ProgressSink& progress);

/// Set by the first SIGINT or SIGTERM, so that a stage can stop cleanly; the second one ends the program.
[[nodiscard]] const std::atomic<bool>& stop_requested();

/// What a program exits with that a signal has stopped.
inline constexpr int interrupted_exit = 130;

}  // namespace kindred::launcher
