#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "command/machine.h"
#include "common_options.h"
#include "file/atomic_file.h"
#include "kindred/core/value.h"
#include "ranking/evaluation.h"
#include "ranking/feature_evaluation.h"
#include "search_options.h"
#include "session.h"
#include "system/device.h"

namespace kindred::launcher {
namespace {

struct Options {
  SearchOptions search;
  std::optional<std::string> cameras;
  std::vector<double> false_positive_rates;
  std::optional<std::int64_t> map_depth;
  bool multi_query = false;
  std::filesystem::path json;
  std::filesystem::path per_query;
  std::filesystem::path out;

  [[nodiscard]] std::vector<std::string> overrides() const {
    std::vector<std::string> all;
    if (cameras) all.push_back("evaluate.cameras=" + Value(*cameras).to_toml());
    if (multi_query) all.emplace_back("evaluate.multi_query=true");
    if (map_depth) all.push_back("evaluate.map_depth=" + std::to_string(*map_depth));
    if (!false_positive_rates.empty()) {
      Array rates;
      for (const double rate : false_positive_rates) rates.emplace_back(rate);
      all.push_back("evaluate.false_positive_rates=" + Value(std::move(rates)).to_toml());
    }
    return all;
  }
};

int evaluate(const Options& options, Session& session) {
  const auto progress = session.make_progress();
  const auto files = options.search.files();
  const auto plan = options.search.plan(options.overrides(), session);
  command::prepare_machine(plan.machine, *progress);
  const auto scores = ranking::evaluate_features(files.query, files.gallery, plan,
                                               system::resolve_device(plan.machine.device), *progress);
  std::cout << ranking::scores_text(scores);
  if (!options.json.empty()) {
    file::write_atomically(options.json, [&](std::ostream& out) { out << ranking::scores_json(scores); });
  }
  if (!options.per_query.empty()) ranking::write_query_scores(options.per_query, scores);
  if (!options.out.empty()) ranking::write_scores(options.out, scores);
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->search.add_to(app);
  app.add_option(
         "--cameras", options->cameras,
         "known: ignore gallery images of the query's identity and camera; single: ignore none; auto: "
         "known if the data says which camera")
      ->check(CLI::IsMember({"auto", "known", "single"}))
      ->default_str("auto")
      ->type_name("MODE");
  add_repeatable(app, "--fpr", options->false_positive_rates,
                 "Print the threshold for this false positive rate among pairs of different people "
                 "[1e-4 1e-3 1e-2]")
      ->type_name("RATE");
  app.add_option("--map-depth", options->map_depth,
                 "Compute mAP over the first N images of each ranking; 0: over all [0]")
      ->type_name("N");
  app.add_flag("--multi-query", options->multi_query,
               "Average the descriptors of the queries of one identity and camera");
  app.add_option("--json", options->json, "Also write the scores to this file")->type_name("FILE");
  app.add_option("--per-query", options->per_query, "Also write the figures of each query to this CSV file")
      ->type_name("FILE");
  app.add_option("--out", options->out,
                 "Also write evaluation.json, evaluation.txt, roc.csv and per_query.csv to this folder")
      ->type_name("DIR");
  return [options](Session& session) { return evaluate(*options, session); };
}

}  // namespace

const Command evaluate_command = {"evaluate", "Compute mAP, CMC, mINP and thresholds from features on disk",
                                  add_options};

}  // namespace kindred::launcher
