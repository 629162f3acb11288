#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "command/match.h"
#include "common_options.h"
#include "joined_ranks.h"
#include "local_ranks.h"
#include "results/matches_file.h"
#include "search_options.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  SearchOptions search;
  std::optional<std::int64_t> top;
  std::filesystem::path distances;
  std::filesystem::path out = "rankings";
};

/// Throws RecipeError when a result would replace what is read.
void require_inputs_kept(const Options& options, const recipe::RankingPlan& plan, const Catalog& catalog) {
  auto inputs = options.search.inputs(plan, catalog);
  inputs.require_kept("--distances", options.distances);
  for (const auto* name : {results::MatchesFiles::csv_name, results::MatchesFiles::json_name}) {
    inputs.require_kept("--out", options.out / name);
  }
}

int match(const Options& options, Session& session) {
  const auto files = options.search.files();
  std::vector<std::string> overrides;
  if (options.top) {
    const auto top = std::to_string(*options.top);
    overrides.push_back(option_override("--top " + top, "ranking.top=" + top));
  }
  const auto plan = options.search.plan(overrides, session);
  require_inputs_kept(options, plan, session.catalog());
  if (const auto code = run_local_ranks(plan.machine.ranks, session)) return *code;
  JoinedRanks joined(session);
  const auto outcome = command::match(files.query, files.gallery, plan, options.out, options.distances,
                                      joined.progress(), joined.ranks());
  joined.end();
  if (!joined.ranks().is_first()) return 0;
  if (!options.distances.empty()) {
    std::cout << options.distances.string() << "  " << outcome.queries << " x " << outcome.gallery
              << " distances\n";
  }
  std::cout << outcome.csv.string() << "  " << outcome.queries << " queries, the best " << outcome.top
            << " of " << outcome.gallery << '\n'
            << outcome.json.string() << '\n';
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->search.add_to(app);
  options->search.recipe.add_ranks_to(app);
  app.add_option("--top", options->top, "Gallery images to list for each query")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}).description(""))
      ->default_str("20")
      ->type_name("N");
  app.add_option("--distances", options->distances,
                 "Also write all distances, queries x gallery, to this .npy file")
      ->type_name("FILE");
  app.add_option("--out", options->out, "Folder that matches.csv and matches.json are written to")
      ->capture_default_str()
      ->type_name("DIR");
  return [options](Session& session) { return match(*options, session); };
}

}  // namespace

const Command match_command = {"match", "Rank the gallery for each query", add_options};

}  // namespace kindred::launcher
