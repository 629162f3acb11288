#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "command.h"
#include "command/machine.h"
#include "common_options.h"
#include "joined_ranks.h"
#include "kindred/core/value.h"
#include "local_ranks.h"
#include "ranking/evaluation.h"
#include "ranking/feature_evaluation.h"
#include "results/evaluation_file.h"
#include "results/evaluation_text.h"
#include "search_options.h"
#include "session.h"
#include "system/rank_machine.h"

namespace kindred::launcher {
namespace {

struct Options {
  SearchOptions search;
  std::optional<std::string> cameras;
  std::vector<double> false_positive_rates;
  std::optional<std::int64_t> map_depth;
  std::vector<std::int64_t> ranks;
  bool multi_query = false;
  std::filesystem::path json;
  std::filesystem::path per_query;
  std::filesystem::path out;

  [[nodiscard]] std::vector<std::string> overrides() const {
    std::vector<std::string> all;
    if (cameras) {
      all.push_back(
          option_override("--cameras " + *cameras, "evaluate.cameras=" + Value(*cameras).to_toml()));
    }
    if (multi_query) all.push_back(option_override("--multi-query", "evaluate.multi_query=true"));
    if (map_depth) {
      const auto depth = std::to_string(*map_depth);
      all.push_back(option_override("--map-depth " + depth, "metric.retrieval.depth=" + depth));
    }
    const auto add_list = [&](const std::string& option, const auto& numbers, const std::string& key) {
      if (numbers.empty()) return;
      std::ostringstream typed;
      for (const auto number : numbers) typed << (typed.tellp() > 0 ? " " : "") << option << ' ' << number;
      all.push_back(
          option_override(typed.str(), key + "=" + Value(Array(numbers.begin(), numbers.end())).to_toml()));
    };
    add_list("--rank", ranks, "metric.retrieval.ranks");
    add_list("--fpr", false_positive_rates, "metric.open_set.false_positive_rates");
    return all;
  }
};

/// Throws RecipeError when a result would replace what is read.
void require_inputs_kept(const Options& options, const recipe::RankingPlan& plan, const Catalog& catalog) {
  auto inputs = options.search.inputs(plan, catalog);
  inputs.require_kept("--json", options.json);
  inputs.require_kept("--per-query", options.per_query);
  if (options.out.empty()) return;
  for (const auto* name :
       {"evaluation.json", "evaluation.txt", "per_query.csv", "by_camera.csv", "by_domain.csv"}) {
    inputs.require_kept("--out", options.out / name);
  }
}

int evaluate(const Options& options, Session& session) {
  const auto files = options.search.files();
  const auto plan = options.search.plan(options.overrides(), session);
  require_inputs_kept(options, plan, session.catalog());
  if (const auto code = run_local_ranks(plan.machine.ranks, session)) return *code;
  JoinedRanks joined(session);
  const auto& ranks = joined.ranks();
  command::prepare_machine(plan.machine, joined.progress(), ranks.place());
  const auto device = system::device_of_rank(plan.machine.device, ranks.place());
  const auto evaluation =
      ranking::evaluate_features(files.query, files.gallery, plan, device, joined.progress(), ranks);
  joined.end();
  if (!ranks.is_first()) return 0;
  ranking::warn_of_nobody_else(evaluation, joined.progress());
  Session::print(results::evaluation_text(evaluation));
  if (!options.json.empty()) results::write_evaluation_json(options.json, evaluation);
  if (!options.per_query.empty()) results::write_query_table(options.per_query, evaluation.per_query);
  if (!options.out.empty()) results::write_evaluation(options.out, evaluation);
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->search.add_to(app);
  add_repeatable(app, "--metric", options->search.metrics,
                 "Use this metric instead of the default ones, such as retrieval (see kindred list); several "
                 "are shown in this order; --set metric.NAME.KEY=VALUE changes its parameters")
      ->type_name("NAME");
  app.add_option(
         "--cameras", options->cameras,
         "known: ignore gallery images of the query's identity and camera; single: ignore none; auto: "
         "known if the data says which camera")
      ->check(CLI::IsMember({"auto", "known", "single"}))
      ->default_str("auto")
      ->type_name("MODE");
  add_repeatable(app, "--fpr", options->false_positive_rates,
                 "Print the threshold for this false positive rate among pairs of different people; sets "
                 "metric.open_set.false_positive_rates [1e-4 1e-3 1e-2]")
      ->type_name("RATE");
  app.add_option("--map-depth", options->map_depth,
                 "Compute mAP over the first N images of each ranking; 0: over all; sets "
                 "metric.retrieval.depth [0]")
      ->type_name("N");
  add_repeatable(app, "--rank", options->ranks,
                 "Print Rank-N, the share of queries with a correct image among the first N; sets "
                 "metric.retrieval.ranks [1 5 10]")
      ->type_name("N");
  app.add_flag("--multi-query", options->multi_query,
               "Average the descriptors of the queries of one identity, camera and clothes");
  app.add_option("--json", options->json, "Also write the scores to this file")->type_name("FILE");
  app.add_option("--per-query", options->per_query, "Also write the figures of each query to this CSV file")
      ->type_name("FILE");
  app.add_option("--out", options->out,
                 "Also write to this folder: evaluation.json, evaluation.txt, per_query.csv, by_camera.csv, "
                 "by_domain.csv, and curves such as cmc.csv with their pictures, cmc.svg")
      ->type_name("DIR");
  return [options](Session& session) { return evaluate(*options, session); };
}

}  // namespace

const Command evaluate_command = {
    "evaluate", "Compute mAP, CMC, thresholds and other figures from features on disk", add_options};

}  // namespace kindred::launcher
