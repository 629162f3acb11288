#include "report/ranking_files.h"

#include <cstddef>
#include <cstdlib>
#include <map>
#include <utility>

#include "kindred/core/error.h"
#include "results/evaluation_file.h"
#include "results/part_scores_file.h"

namespace kindred::report {

RankingFiles read_ranking_files(const std::filesystem::path& folder) {
  RankingFiles files;
  files.scores = read_piece(folder / "evaluation.json", results::read_evaluation);
  files.plain_scores = read_piece(folder / "evaluation_plain.json", results::read_evaluation);
  const auto* scores = files.scores.value ? &*files.scores.value : nullptr;
  files.queries = read_piece(folder / "per_query.csv", [&](const std::filesystem::path& file) {
    return results::read_query_table(
        file, scores == nullptr ? std::vector<MetricColumn>() : scores->per_query.columns);
  });
  for (const auto& table : scores == nullptr ? std::vector<MetricTable>() : scores->tables) {
    if (!table.plot) continue;
    auto curve = read_piece(folder / (table.name + ".csv"), [&](const std::filesystem::path&) {
      auto read = table;
      results::read_curve(folder, read);
      return read;
    });
    if (curve.there()) files.curves.push_back(std::move(curve));
  }
  // Either file of the two may be damaged: the message has the name of the one.
  try {
    files.parts.value = results::PartScoresFiles::read(
        folder, scores == nullptr ? std::vector<results::EvaluatedFigure>() : scores->figures);
  } catch (const DataError& error) {
    files.parts.trouble = message_of(error, error.file());
  }
  files.matches = folder / results::MatchesFiles::csv_name;
  return files;
}

Piece<std::vector<std::string>> read_ranked_queries(const std::filesystem::path& matches) {
  return read_piece(matches, [](const std::filesystem::path& file) {
    results::MatchesReader reader(file);
    std::vector<std::string> queries;
    for (results::QueryMatches one; reader.next(one);) queries.push_back(std::move(one.query));
    return queries;
  });
}

Piece<std::vector<results::QueryMatches>> read_matches(const std::filesystem::path& matches,
                                                       const std::vector<std::string>& queries) {
  std::vector<results::QueryMatches> found(queries.size());
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    found[i].query = queries[i];
    places.emplace(queries[i], i);
  }
  auto piece = read_piece(matches, [&](const std::filesystem::path& file) {
    results::MatchesReader reader(file);
    results::QueryMatches one;
    const auto keep = [&] {
      const auto place = places.find(one.query);
      if (place != places.end()) found[place->second] = std::move(one);
    };
    try {
      while (reader.next(one)) keep();
    } catch (const DataError&) {
      keep();
      throw;
    }
    return true;
  });
  if (!piece.there()) return {};
  return {std::move(found), std::move(piece.trouble)};
}

}  // namespace kindred::report
