#include "report/ranking_files.h"

#include <cstddef>
#include <cstdlib>
#include <utility>

#include "kindred/text/csv.h"
#include "results/evaluation_file.h"

namespace kindred::report {
namespace {

double number_of(const CsvTable& table, const CsvRow& row, std::size_t column) {
  const auto& cell = row.cells[column];
  char* end = nullptr;
  const double value = std::strtod(cell.c_str(), &end);
  if (cell.empty() || end != cell.c_str() + cell.size()) {
    throw table.error(row,
                      "column '" + table.header()[column] + "' holds '" + cell + "', which is no number");
  }
  return value;
}

std::optional<std::int64_t> identity_of(const CsvTable& table, const CsvRow& row,
                                        std::optional<std::size_t> column) {
  if (!column || row.cells[*column].empty()) return std::nullopt;
  return table.integer(row, *column);
}

}  // namespace

RankingFiles read_ranking_files(const std::filesystem::path& folder, const std::filesystem::path& matches) {
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
