#include "session.h"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "data/open_folder.h"
#include "recipe/recipe.h"
#include "system/device.h"

namespace kindred::launcher {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not wait");

extern "C" void request_stop(int) {
  stop.store(true);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

plugin::LoadedPlugins load_plugins(const Options& options) {
  const char* path_list = std::getenv("KINDRED_PLUGIN_PATH");
  auto plugins = plugin::load_plugins(
      plugin::plugin_folders(options.plugin_folders, path_list == nullptr ? "" : path_list, options.program));
  for (const auto& refused : plugins.refused) {
    std::cerr << "warning: " << refused.file.string() << ": " << refused.reason << '\n';
  }
  return plugins;
}

Value read_recipe(const Options& options) {
  return recipe::load_recipe(options.recipe, options.recipe_overrides());
}

std::unique_ptr<Dataset> dataset_at(const std::filesystem::path& path,
                                    const std::vector<std::string>& overrides,
                                    const plugin::LoadedPlugins& plugins) {
  if (path.extension() == ".toml" && std::filesystem::is_regular_file(path)) {
    return recipe::choose_dataset(recipe::load_recipe(path, overrides), plugins.catalog).create({});
  }
  if (!overrides.empty()) {
    throw RecipeError({"--set " + overrides.front(), 0, 0},
                      path.string() + " is no recipe (NAME.toml), and only a recipe has keys to override");
  }
  auto opened = data::open_folder(path, plugins.catalog);
  std::cout << path.string() << ": read as " << opened.layout << '\n';
  return std::move(opened.dataset);
}

namespace {

/// What is made of a recipe; a component that is missing because its plugin was refused is a PluginError.
template <class Make>
auto with_plugins(const plugin::LoadedPlugins& plugins, const Make& make) {
  try {
    return make();
  } catch (const recipe::MissingComponentError& error) {
    if (plugins.refused.empty()) throw;
    std::cerr << error.what() << '\n';
    throw PluginError(plugins.refused.front().file,
                      "the recipe needs a component that no loaded plugin offers, and " +
                          std::to_string(plugins.refused.size()) +
                          " of the plugins found could not be used; the warnings above say why");
  }
}

}  // namespace

recipe::Plan plan_recipe(const Value& recipe, const plugin::LoadedPlugins& plugins) {
  return with_plugins(plugins, [&] { return recipe::make_plan(recipe, plugins.catalog); });
}

pipeline::Pipeline plan_pipeline_recipe(const Value& recipe, const plugin::LoadedPlugins& plugins) {
  return with_plugins(plugins, [&] { return pipeline::make_any_pipeline(recipe, plugins.catalog); });
}

recipe::RankingPlan plan_ranking(const Value& recipe, const plugin::LoadedPlugins& plugins) {
  return with_plugins(plugins, [&] { return recipe::choose_ranking(recipe, plugins.catalog); });
}

std::vector<study::StudyRun> plan_study(const study::Study& study, const Options& options,
                                        const plugin::LoadedPlugins& plugins) {
  return with_plugins(plugins,
                      [&] { return study::plan_runs(study, options.recipe_overrides(), plugins.catalog); });
}

std::filesystem::path run_directory(const Options& options, const std::string& name) {
  if (!options.run_directory.empty()) return options.run_directory;
  return std::filesystem::path("runs") / (name.empty() ? options.recipe.stem().string() : name);
}

void use_machine(const recipe::MachineSettings& machine, progress::ProgressSink& progress) {
  system::set_threads(machine.threads);
  if (system::blas_is_slow()) {
    progress.note("matrices are multiplied by " + system::blas_name() +
                  ", some 30 times slower than OpenBLAS: install OpenBLAS (Debian: libopenblas0-openmp)");
  }
}

const std::atomic<bool>& stop_requested() {
  static const bool installed = [] {
    std::signal(SIGINT, request_stop);
    std::signal(SIGTERM, request_stop);
    return true;
  }();
  static_cast<void>(installed);
  return stop;
}

}  // namespace kindred::launcher
