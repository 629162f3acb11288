#include "report/ranking_files.h"

#include <cstddef>
#include <map>
#include <utility>

#include "kindred/core/error.h"
#include "report/json_file.h"

namespace kindred::report {
namespace {

ScoreFigures read_scores(const std::filesystem::path& file) {
  const auto json = read_json(file);
  ScoreFigures figures;
  figures.mean_ap = number_at(json, "mAP");
  figures.rank1 = number_at(json, "rank1");
  figures.rank5 = number_at(json, "rank5");
  figures.rank10 = number_at(json, "rank10");
  figures.mean_inp = number_at(json, "mINP");
  figures.score = number_at(json, "score");
  figures.map_depth = number_at(json, "map_depth");
  figures.queries = number_at(json, "queries");
  figures.valid_queries = number_at(json, "valid_queries");
  figures.gallery = number_at(json, "gallery");
  figures.distractors = number_at(json, "distractors");
  figures.junk = number_at(json, "junk");
  figures.cameras_known = text_at(json, "cameras") == "known";
  figures.multi_query = json.contains("multi_query") && json["multi_query"] == true;
  figures.note = text_at(json, "note").value_or("");
  const auto open_set = json.find("open_set");
  if (open_set == json.end() || !open_set->is_object()) return figures;
  figures.area = number_at(*open_set, "area");
  const auto points = open_set->find("points");
  if (points == open_set->end() || !points->is_array()) return figures;
  for (const auto& point : *points) {
    const auto rate = number_at(point, "wanted_false_positive_rate");
    const auto found = number_at(point, "true_positive_rate");
    const auto distance = number_at(point, "distance");
    if (!rate || !found || !distance) continue;
    figures.thresholds.push_back({*rate, *found, *distance, number_at(point, "similarity")});
  }
  return figures;
}

}  // namespace

RankingFiles read_ranking_files(const std::filesystem::path& folder, const std::filesystem::path& matches) {
  RankingFiles files;
  files.scores = read_piece(folder / "evaluation.json", read_scores);
  files.plain_scores = read_piece(folder / "evaluation_plain.json", read_scores);
  files.queries = read_piece(folder / results::QueryScoresFile::name, results::QueryScoresFile::read);
  files.roc = read_piece(folder / results::RocFile::name, results::RocFile::read);
  files.matches = matches;
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
