#include "results/part_scores_file.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ostream>
#include <string>
#include <utility>

#include "file/atomic_file.h"
#include "file/presence.h"
#include "kindred/core/error.h"
#include "kindred/text/csv.h"
#include "results/csv_cells.h"
#include "text/number_text.h"

namespace kindred::results {
namespace {

namespace fs = std::filesystem;

constexpr const char* query_column = "query_camera";
constexpr const char* gallery_column = "gallery_camera";
constexpr const char* domain_column = "domain";
constexpr const char* queries_column = "queries";

using CellTexts = std::vector<std::string>;

void write_parts(const fs::path& file, const CellTexts& keys, const std::vector<FigureInfo>& figures,
                 const std::vector<PartScores::Part>& parts) {
  if (parts.empty()) return;
  file::write_atomically(file, [&](std::ostream& out) {
    auto cells = keys;
    cells.emplace_back(queries_column);
    for (const auto& figure : figures) cells.push_back(figure.name);
    write_csv_row(out, cells);
    for (const auto& part : parts) {
      cells = keys.size() == 1 ? CellTexts{part.query} : CellTexts{part.query, part.gallery};
      cells.push_back(std::to_string(part.queries));
      for (const double value : part.values) {
        cells.push_back(std::isnan(value) ? "" : text::shortest_text(value));
      }
      write_csv_row(out, cells);
    }
  });
}

std::vector<PartScores::Part> read_parts(const fs::path& file, const CellTexts& keys,
                                         const std::vector<EvaluatedFigure>& known,
                                         std::vector<FigureInfo>& figures) {
  if (!file::is_there(file)) return {};
  const auto csv = CsvTable::read(file);
  const auto queries = csv.column(queries_column);
  std::vector<std::size_t> key_columns;
  for (const auto& key : keys) key_columns.push_back(csv.column(key));
  std::vector<std::size_t> columns;
  figures.clear();
  for (std::size_t i = 0; i < csv.header().size(); ++i) {
    const auto& name = csv.header()[i];
    if (i == queries || std::find(keys.begin(), keys.end(), name) != keys.end()) continue;
    columns.push_back(i);
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&](const EvaluatedFigure& figure) { return figure.info.name == name; });
    figures.push_back(at != known.end()
                          ? at->info
                          : FigureInfo{.name = name, .label = name, .doc = "", .kind = FigureKind::number});
  }
  std::vector<PartScores::Part> parts;
  for (const auto& row : csv.rows()) {
    PartScores::Part part;
    part.query = row.cells[key_columns.front()];
    if (key_columns.size() > 1) part.gallery = row.cells[key_columns[1]];
    part.queries = csv.integer(row, queries);
    for (const auto column : columns) {
      part.values.push_back(number_or_nan_in(csv, row, column));
    }
    parts.push_back(std::move(part));
  }
  if (!parts.empty() && figures.empty()) throw DataError(file, "has no column of a figure; evaluate again");
  return parts;
}

}  // namespace

void PartScoresFiles::write(const fs::path& folder, const PartScores& scores) {
  write_parts(folder / cameras_name, {query_column, gallery_column}, scores.figures, scores.camera_pairs);
  write_parts(folder / domains_name, {domain_column}, scores.figures, scores.domains);
}

PartScores PartScoresFiles::read(const fs::path& folder, const std::vector<EvaluatedFigure>& known) {
  PartScores scores;
  std::vector<FigureInfo> of_domains;
  scores.camera_pairs =
      read_parts(folder / cameras_name, {query_column, gallery_column}, known, scores.figures);
  scores.domains = read_parts(folder / domains_name, {domain_column}, known, of_domains);
  if (scores.camera_pairs.empty()) {
    scores.figures = std::move(of_domains);
  } else if (!scores.domains.empty()) {
    const bool alike =
        std::equal(scores.figures.begin(), scores.figures.end(), of_domains.begin(), of_domains.end(),
                   [](const FigureInfo& one, const FigureInfo& two) { return one.name == two.name; });
    if (!alike) {
      throw DataError(folder / domains_name, std::string("has other columns of figures than ") +
                                                 cameras_name + " beside it; evaluate again");
    }
  }
  return scores;
}

}  // namespace kindred::results
