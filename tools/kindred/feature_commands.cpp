// embed, evaluate, match: descriptors, scores and rankings.
#include <filesystem>
#include <iostream>
#include <utility>

#include "command/open_folder.h"
#include "commands.h"
#include "file/atomic_file.h"
#include "kindred/value.h"
#include "model/artefact.h"
#include "session.h"
#include "stage/embed.h"
#include "stage/evaluate.h"
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

/// As a recipe's [evaluate] with the same values.
EvaluateSettings evaluate_settings(const Options& options) {
  const Place place{"the command line", 0, 0};
  Table table;
  const auto set = [&](const char* key, Value::Data data) {
    table.set(key, Value(std::move(data), place), place);
  };
  set("cameras", options.cameras);
  set("multi_query", options.multi_query);
  if (options.map_depth) set("map_depth", *options.map_depth);
  if (!options.false_positive_rates.empty()) {
    Array rates;
    for (const double rate : options.false_positive_rates) rates.emplace_back(rate, place);
    set("false_positive_rates", std::move(rates));
  }
  Diagnostics diagnostics;
  const auto settings =
      EvaluateSettings::schema().parse(Value(std::move(table), place), "evaluate", diagnostics);
  diagnostics.throw_if_any();
  return settings;
}

}  // namespace

int embed_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto progress = make_stderr_progress(options.quiet);
  auto own = options;
  own.data.clear();  // the folder says itself what it is
  const auto artefact = read_artefact(options.weights, plugins.catalog, own.recipe_overrides());
  use_machine(artefact.plan.machine, *progress);
  auto dataset = options.data.empty() ? artefact.plan.dataset.create({})
                                      : std::move(open_folder(options.data, plugins.catalog).dataset);
  const auto written =
      embed_dataset(*artefact.model, artefact.plan, *dataset, out_folder(options, "features"),
                    resolve_device(artefact.plan.machine.device), *progress, options.train_split);
  for (const auto& split : written) {
    std::cout << split.stem.string() << ".npy  " << split.images << " x " << split.width << "  "
              << split.storage << '\n';
  }
  return 0;
}

int evaluate_command(const Options& options) {
  const auto progress = make_stderr_progress(options.quiet);
  const auto [query, gallery] = feature_files(options);
  use_machine({.device = "cpu", .threads = options.threads.value_or(0)}, *progress);
  const auto scores = evaluate_features(query, gallery, evaluate_settings(options), *progress);
  std::cout << scores_text(scores);
  if (!options.json.empty()) {
    write_atomically(options.json, [&](std::ostream& out) { out << scores_json(scores); });
  }
  if (!options.per_query.empty()) write_query_scores(options.per_query, scores);
  if (!options.out.empty()) write_scores(options.out, scores);
  return 0;
}

int match_command(const Options& options) {
  const auto progress = make_stderr_progress(options.quiet);
  const auto [query, gallery] = feature_files(options);
  use_machine({.device = "cpu", .threads = options.threads.value_or(0)}, *progress);
  const auto outcome =
      match_features(query, gallery, options.top, out_folder(options, "rankings"), *progress);
  std::cout << outcome.csv.string() << "  " << outcome.queries << " queries, the best " << outcome.top
            << " of " << outcome.gallery << '\n'
            << outcome.json.string() << '\n';
  return 0;
}

}  // namespace kindred::launcher
