#include "report/ranking_files.h"

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "kindred/text/csv.h"
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

double number_of(const CsvTable& table, const CsvRow& row, std::size_t column) {
  const auto& cell = row.cells[column];
  char* end = nullptr;
  const double value = std::strtod(cell.c_str(), &end);
  if (cell.empty() || end != cell.c_str() + cell.size()) {
    throw table.error(row, "column '" + table.header()[column] + "': '" + cell + "' is not a number");
  }
  return value;
}

std::vector<JudgedQuery> read_judged_queries(const std::filesystem::path& file) {
  const auto table = CsvTable::read(file);
  const auto path = table.column("path");
  const auto ap = table.column("ap");
  const auto first_rank = table.column("first_rank");
  const auto matches = table.column("matches");
  std::vector<JudgedQuery> queries;
  for (const auto& row : table.rows()) {
    JudgedQuery query;
    query.path = row.cells[path];
    if (!row.cells[ap].empty()) {
      query.ap = number_of(table, row, ap);
      if (!std::isfinite(*query.ap)) throw table.error(row, "the AP is not finite");
      query.first_rank = table.integer(row, first_rank);
      query.matches = table.integer(row, matches);
    }
    queries.push_back(std::move(query));
  }
  return queries;
}

std::vector<RocRates> read_roc(const std::filesystem::path& file) {
  const auto table = CsvTable::read(file);
  const auto negatives = table.column("false_positive_rate");
  const auto positives = table.column("true_positive_rate");
  std::vector<RocRates> points;
  for (const auto& row : table.rows()) {
    points.push_back({number_of(table, row, negatives), number_of(table, row, positives)});
  }
  return points;
}

std::optional<std::int64_t> identity_of(const CsvTable& table, const CsvRow& row,
                                        std::optional<std::size_t> column) {
  if (!column || row.cells[*column].empty()) return std::nullopt;
  return table.integer(row, *column);
}

}  // namespace

RankingFiles read_ranking_files(const std::filesystem::path& folder, const std::filesystem::path& matches) {
  RankingFiles files;
  files.scores = read_piece(folder / "evaluation.json", read_scores);
  files.plain_scores = read_piece(folder / "evaluation_plain.json", read_scores);
  files.queries = read_piece(folder / "per_query.csv", read_judged_queries);
  files.roc = read_piece(folder / "roc.csv", read_roc);
  files.matches = matches;
  return files;
}

Piece<std::vector<std::string>> read_ranked_queries(const std::filesystem::path& matches) {
  return read_piece(matches, [](const std::filesystem::path& file) {
    CsvReader reader(file);
    const auto query = reader.table().column("query_path");
    std::vector<std::string> queries;
    for (CsvRow row; reader.next(row);) {
      if (queries.empty() || queries.back() != row.cells[query]) queries.push_back(row.cells[query]);
    }
    return queries;
  });
}

Piece<std::vector<QueryRanking>> read_rankings(const std::filesystem::path& matches,
                                               const std::vector<std::string>& queries) {
  std::vector<QueryRanking> rankings(queries.size());
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    rankings[i].query = queries[i];
    places.emplace(queries[i], i);
  }
  auto piece = read_piece(matches, [&](const std::filesystem::path& file) {
    CsvReader reader(file);
    const auto& table = reader.table();
    const auto query = table.column("query_path");
    const auto path = table.column("gallery_path");
    const auto similarity = table.column("similarity");
    const auto query_identity = table.find("query_identity");
    const auto identity = table.find("gallery_identity");
    for (CsvRow row; reader.next(row);) {
      const auto place = places.find(row.cells[query]);
      if (place == places.end()) continue;
      auto& ranking = rankings[place->second];
      ranking.identity = identity_of(table, row, query_identity);
      ranking.found.push_back(
          {row.cells[path], number_of(table, row, similarity), identity_of(table, row, identity)});
    }
    return true;
  });
  if (!piece.there()) return {};
  return {std::move(rankings), std::move(piece.trouble)};
}

void add_images(const std::filesystem::path& csv, std::map<std::string, Sample, std::less<>>& images) {
  CsvReader reader(csv);
  const auto& table = reader.table();
  const auto path = table.column("path");
  const auto identity = table.find("identity");
  const auto camera = table.find("camera");
  const auto domain = table.find("domain");
  for (CsvRow row; reader.next(row);) {
    Sample sample;
    sample.path = row.cells[path];
    if (const auto known = identity_of(table, row, identity)) sample.identity = *known;
    if (camera && !row.cells[*camera].empty()) sample.camera = table.integer(row, *camera);
    if (domain) sample.domain = row.cells[*domain];
    images.insert_or_assign(sample.path, sample);
  }
}

}  // namespace kindred::report
