// embed, evaluate, match: descriptors, scores and rankings.
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>

#include "commands.h"
#include "data/open_dataset.h"
#include "data/open_folder.h"
#include "file/atomic_file.h"
#include "kindred/core/value.h"
#include "model/model_file.h"
#include "ranking/feature_evaluation.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"
#include "stage/embed.h"
#include "stage/match.h"
#include "system/device.h"

namespace kindred::launcher {
namespace {

/// The files of queries and gallery: two given ones, or those in a folder.
std::pair<std::filesystem::path, std::filesystem::path> feature_files(const Options& options) {
  if (!options.folder.empty() && options.query.empty() && options.gallery.empty()) {
    return {options.folder / "query.npy", options.folder / "gallery.npy"};
  }
  if (options.folder.empty() && !options.query.empty() && !options.gallery.empty()) {
    return {options.query, options.gallery};
  }
  throw RecipeError({"the command line", 0, 0},
                    "give either a folder with query.npy and gallery.npy, or both --query and --gallery");
}

std::filesystem::path out_folder(const Options& options, const char* otherwise) {
  return options.out.empty() ? std::filesystem::path(otherwise) : options.out;
}

/// Sets a key of a recipe's table as the command line says it.
void set_key(Value& recipe, const char* table, const char* key, Value::Data data) {
  const SourceLocation location{"the command line", 0, 0};
  auto& root = *recipe.as<Table>();
  if (root.find(table) == nullptr) root.set(table, Value(Table(), location), location);
  auto* settings = root.find(table)->as<Table>();
  if (settings != nullptr)
    settings->set(key, Value(std::move(data), location), location);  // else an error later
}

/// What the command line says of searching: a recipe's tables or post-processors by name, overrides, and the
/// options that stand for keys.
Value ranking_recipe(const Options& options) {
  if (!options.post_processors.empty() && !options.recipe.empty()) {
    throw RecipeError({"the command line", 0, 0},
                      "give the post-processors either by --recipe or by --post, not by both");
  }
  std::string by_name;
  for (const auto& name : options.post_processors) {
    by_name += "[[post_processor]]\ntype = " + Value(name).to_toml() + "\n";
  }
  auto recipe = options.recipe.empty() ? recipe::parse_recipe(by_name, "--post", options.recipe_overrides())
                                       : recipe::load_recipe(options.recipe, options.recipe_overrides());
  if (options.cameras) set_key(recipe, "evaluate", "cameras", *options.cameras);
  if (options.multi_query) set_key(recipe, "evaluate", "multi_query", true);
  if (options.map_depth) set_key(recipe, "evaluate", "map_depth", *options.map_depth);
  if (!options.false_positive_rates.empty()) {
    Array rates;
    for (const double rate : options.false_positive_rates) {
      rates.emplace_back(rate, SourceLocation{"the command line", 0, 0});
    }
    set_key(recipe, "evaluate", "false_positive_rates", std::move(rates));
  }
  if (options.top) set_key(recipe, "ranking", "top", *options.top);
  return recipe;
}

/// A plan and the plugins that it lives on, which are loaded only when it needs any.
struct RankingRequest {
  plugin::LoadedPlugins plugins;
  recipe::RankingPlan plan;
};

RankingRequest ranking_of(const Options& options) {
  const auto recipe = ranking_recipe(options);
  RankingRequest ranking;
  if (recipe.as<Table>()->find("post_processor") != nullptr) ranking.plugins = load_plugins(options);
  ranking.plan = plan_ranking(recipe, ranking.plugins);
  return ranking;
}

}  // namespace

int embed_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto progress = progress::make_stderr_progress(options.quiet);
  auto own = options;
  own.data.clear();  // the folder says itself what it is
  const auto model_file = model::read_model_file(options.weights, plugins.catalog, own.recipe_overrides());
  use_machine(model_file.plan.machine, *progress);
  auto dataset = options.data.empty() ? data::open_dataset(model_file.plan)
                                      : std::move(data::open_folder(options.data, plugins.catalog).dataset);
  const auto written = stage::embed_dataset(
      *model_file.model, model_file.plan, *dataset, dataset->samples(), out_folder(options, "features"),
      system::resolve_device(model_file.plan.machine.device), *progress, options.train_split);
  for (const auto& split : written) {
    std::cout << split.stem.string() << ".npy  " << split.images << " x " << split.dim << "  "
              << split.storage << '\n';
  }
  return 0;
}

int evaluate_command(const Options& options) {
  const auto progress = progress::make_stderr_progress(options.quiet);
  const auto [query, gallery] = feature_files(options);
  const auto ranking = ranking_of(options);
  use_machine(ranking.plan.machine, *progress);
  const auto scores = ranking::evaluate_features(
      query, gallery, ranking.plan, system::resolve_device(ranking.plan.machine.device), *progress);
  std::cout << ranking::scores_text(scores);
  if (!options.json.empty()) {
    file::write_atomically(options.json, [&](std::ostream& out) { out << ranking::scores_json(scores); });
  }
  if (!options.per_query.empty()) ranking::write_query_scores(options.per_query, scores);
  if (!options.out.empty()) ranking::write_scores(options.out, scores);
  return 0;
}

int match_command(const Options& options) {
  const auto progress = progress::make_stderr_progress(options.quiet);
  const auto [query, gallery] = feature_files(options);
  const auto ranking = ranking_of(options);
  use_machine(ranking.plan.machine, *progress);
  const auto device = system::resolve_device(ranking.plan.machine.device);
  const auto folder = out_folder(options, "rankings");
  stage::MatchOutcome outcome;
  if (options.distances.empty()) {
    outcome = stage::match_features(query, gallery, ranking.plan, ranking.plan.ranking.top, folder, device,
                                    *progress);
  } else {
    auto input = ranking::read_search_input(query, gallery);
    const auto distances = ranking::post_process(ranking.plan, input, device, *progress);
    outcome = stage::match_distances(input, distances, ranking.plan.ranking.top, folder, *progress);
    stage::write_distances(options.distances, input, distances, *progress);
    std::cout << options.distances.string() << "  " << outcome.queries << " x " << outcome.gallery
              << " distances\n";
  }
  std::cout << outcome.csv.string() << "  " << outcome.queries << " queries, the best " << outcome.top
            << " of " << outcome.gallery << '\n'
            << outcome.json.string() << '\n';
  return 0;
}

}  // namespace kindred::launcher
