#include "results/evaluation_file.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "file/atomic_file.h"
#include "file/presence.h"
#include "file/read_error.h"
#include "file/read_text.h"
#include "file/shallow_json.h"
#include "kindred/core/error.h"
#include "kindred/text/csv.h"
#include "results/csv_cells.h"
#include "results/curve_chart.h"
#include "results/evaluation_text.h"
#include "results/json_object.h"
#include "results/part_scores_file.h"
#include "text/chart.h"
#include "text/number_text.h"

namespace kindred::results {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* json_name = "evaluation.json";
constexpr const char* queries_name = "per_query.csv";
constexpr double none = std::numeric_limits<double>::quiet_NaN();

template <class T>
using Names = std::vector<std::pair<T, const char*>>;

const Names<FigureKind> kinds = {
    {FigureKind::share, "share"}, {FigureKind::number, "number"}, {FigureKind::distance, "distance"}};
const Names<Prominence> prominences = {
    {Prominence::headline, "headline"}, {Prominence::listed, "listed"}, {Prominence::detail, "detail"}};
const Names<bool> directions = {{true, "higher"}, {false, "lower"}};
const Names<bool> camera_modes = {{true, "known"}, {false, "single"}};
const Names<recipe::ClothesMode> clothes_modes = {{recipe::ClothesMode::any, "any"},
                                                  {recipe::ClothesMode::changed, "changed"},
                                                  {recipe::ClothesMode::same, "same"}};
const Names<bool> distances = {{true, "cosine"}, {false, "other"}};

template <class T>
std::string name_of(const Names<T>& names, T value) {
  return std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == value; })
      ->second;
}

template <class T>
T value_of(const Names<T>& names, const Json& json) {
  const auto text = json.get<std::string>();
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  throw std::invalid_argument("'" + text + "' is not known");
}

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

double number_of(const Json& json) {
  return json.is_null() ? none : json.get<double>();
}

/// nlohmann's own conversion takes any number, also one that has no such value.
std::int64_t count_in(const Json& json, const char* key) {
  const auto& value = json.at(key);
  const bool too_large =
      value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  if (value.is_number_integer() && !too_large) return value.get<std::int64_t>();
  throw std::invalid_argument("'" + std::string(key) + "' is not a whole number");
}

Json json_of(const std::vector<MetricColumn>& columns) {
  auto json = Json::object();
  for (const auto& column : columns) {
    json[column.name] = {{"label", column.label}, {"shown_as", name_of(kinds, column.kind)}};
  }
  return json;
}

std::vector<MetricColumn> columns_of(const Json& json) {
  std::vector<MetricColumn> columns;
  for (const auto& [name, column] : json.items()) {
    columns.push_back(
        {name, column.at("label").get<std::string>(), value_of(kinds, column.at("shown_as")), {}});
  }
  return columns;
}

Json json_of(const EvaluatedFigure& figure) {
  const auto& info = figure.info;
  Json json{{"value", number(figure.value)},
            {"label", info.label},
            {"shown_as", name_of(kinds, info.kind)},
            {"better", name_of(directions, info.higher_is_better)},
            {"prominence", name_of(prominences, info.prominence)},
            {"metric", figure.metric},
            {"doc", info.doc}};
  if (!figure.caution.empty()) json["caution"] = figure.caution;
  return json;
}

EvaluatedFigure figure_of(const std::string& name, const Json& json) {
  EvaluatedFigure figure;
  figure.info.name = name;
  json.at("label").get_to(figure.info.label);
  json.at("doc").get_to(figure.info.doc);
  figure.info.kind = value_of(kinds, json.at("shown_as"));
  figure.info.higher_is_better = value_of(directions, json.at("better"));
  figure.info.prominence = value_of(prominences, json.at("prominence"));
  figure.value = number_of(json.at("value"));
  json.at("metric").get_to(figure.metric);
  if (json.contains("caution")) json.at("caution").get_to(figure.caution);
  return figure;
}

std::size_t rows_of(const std::vector<MetricColumn>& columns) {
  return columns.empty() ? 0 : columns.front().values.size();
}

Json json_of(const MetricTable& table) {
  Json json = {{"title", table.title}, {"doc", table.doc}, {"columns", json_of(table.columns)}};
  if (table.plot) {
    json["file"] = table.name + ".csv";
    json["plot"] = {{"x", table.plot->x}, {"y", table.plot->y}, {"logarithmic_x", table.plot->logarithmic_x}};
    return json;
  }
  json["rows"] = Json::array();
  for (std::size_t row = 0; row < rows_of(table.columns); ++row) {
    auto& entry = json["rows"].emplace_back(Json::object());
    for (const auto& column : table.columns) entry[column.name] = number(column.values[row]);
  }
  if (!table.cautions.empty()) json["cautions"] = table.cautions;
  return json;
}

MetricTable table_of(const std::string& name, const Json& json) {
  MetricTable table;
  table.name = name;
  json.at("title").get_to(table.title);
  json.at("doc").get_to(table.doc);
  table.columns = columns_of(json.at("columns"));
  if (json.contains("plot")) {
    const auto& plot = json.at("plot");
    table.plot = MetricTable::Plot{plot.at("x").get<std::string>(), plot.at("y").get<std::string>(),
                                   plot.at("logarithmic_x").get<bool>()};
    for (const auto& axis : {table.plot->x, table.plot->y}) {
      const bool known = std::any_of(table.columns.begin(), table.columns.end(),
                                     [&](const MetricColumn& column) { return column.name == axis; });
      if (!known) throw std::invalid_argument("the curve '" + name + "' has no column '" + axis + "'");
    }
    return table;
  }
  for (const auto& row : json.at("rows")) {
    for (auto& column : table.columns) column.values.push_back(number_of(row.at(column.name)));
  }
  if (json.contains("cautions")) json.at("cautions").get_to(table.cautions);
  if (!table.cautions.empty() && table.cautions.size() != json.at("rows").size()) {
    throw std::invalid_argument("the table '" + name + "' has other numbers of rows and of cautions");
  }
  return table;
}

/// "roc.csv" beside evaluation.json, whatever the file says.
bool is_plain_name(const std::string& name) {
  return !name.empty() && fs::path(name).filename() == name && name != "." && name != "..";
}

Evaluation parsed(const Json& json) {
  Evaluation evaluation;
  for (const auto& [name, figure] : json.at("figures").items()) {
    evaluation.figures.push_back(figure_of(name, figure));
  }
  for (const auto* key : {"tables", "curves"}) {
    if (!json.contains(key)) continue;
    for (const auto& [name, table] : json.at(key).items()) {
      if (!is_plain_name(name)) throw std::invalid_argument("'" + name + "' is not the name of a table");
      evaluation.tables.push_back(table_of(name, table));
    }
  }
  evaluation.queries = count_in(json, "queries");
  evaluation.valid_queries = count_in(json, "valid_queries");
  evaluation.gallery = count_in(json, "gallery");
  evaluation.distractors = count_in(json, "distractors");
  evaluation.junk = count_in(json, "junk");
  evaluation.positive_pairs = count_in(json, "positive_pairs");
  evaluation.negative_pairs = count_in(json, "negative_pairs");
  evaluation.cameras_known = value_of(camera_modes, json.at("cameras"));
  evaluation.cosine = value_of(distances, json.at("distances"));
  json.at("multi_query").get_to(evaluation.multi_query);
  json.at("itself_ignored").get_to(evaluation.itself_ignored);
  evaluation.clothes = value_of(clothes_modes, json.at("clothes"));
  evaluation.single_gallery_shot = count_in(json, "single_gallery_shot");
  json.at("images_sha256").get_to(evaluation.images_sha256);
  json.at("note").get_to(evaluation.note);
  if (json.contains("per_query"))
    evaluation.per_query.columns = columns_of(json.at("per_query").at("columns"));
  return evaluation;
}

std::string exact(FigureKind kind, double value) {
  if (std::isnan(value)) return "";
  return kind == FigureKind::distance ? text::shortest_text(static_cast<float>(value))
                                      : text::shortest_text(value);
}

/// Six digits of a share are more than a query can tell.
std::string query_cell(FigureKind kind, double value) {
  if (kind != FigureKind::share || std::isnan(value)) return exact(kind, value);
  return text::fixed_text(value, 6);
}

void write_curve(std::ostream& out, const MetricTable& curve) {
  std::vector<std::string> cells;
  for (const auto& column : curve.columns) cells.push_back(column.name);
  write_csv_row(out, cells);
  for (std::size_t row = 0; row < rows_of(curve.columns); ++row) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] = exact(curve.columns[i].kind, curve.columns[i].values[row]);
    }
    write_csv_row(out, cells);
  }
}

}  // namespace

Json evaluation_json(const Evaluation& evaluation) {
  Json json;
  json["figures"] = Json::object();
  for (const auto& figure : evaluation.figures) json["figures"][figure.info.name] = json_of(figure);
  json["queries"] = evaluation.queries;
  json["valid_queries"] = evaluation.valid_queries;
  json["gallery"] = evaluation.gallery;
  json["distractors"] = evaluation.distractors;
  json["junk"] = evaluation.junk;
  json["positive_pairs"] = evaluation.positive_pairs;
  json["negative_pairs"] = evaluation.negative_pairs;
  json["cameras"] = name_of(camera_modes, evaluation.cameras_known);
  json["distances"] = name_of(distances, evaluation.cosine);
  json["multi_query"] = evaluation.multi_query;
  json["itself_ignored"] = evaluation.itself_ignored;
  json["clothes"] = name_of(clothes_modes, evaluation.clothes);
  json["single_gallery_shot"] = evaluation.single_gallery_shot;
  json["images_sha256"] = evaluation.images_sha256;
  json["note"] = evaluation.note;
  json["tables"] = Json::object();
  for (const auto& table : evaluation.tables) {
    if (!table.plot) json["tables"][table.name] = json_of(table);
  }
  return json;
}

Evaluation evaluation_of(const Json& json, const fs::path& file) {
  const auto refuse = [&](const char* reason) {
    return DataError(
        file, std::string("is not an evaluation as this version writes it (") + reason + "); evaluate again");
  };
  try {
    return parsed(json);
  } catch (const Json::exception& error) {
    throw refuse(error.what());
  } catch (const std::invalid_argument& error) {
    throw refuse(error.what());
  }
}

void write_evaluation_json(const fs::path& file, const Evaluation& evaluation) {
  write_json(file, evaluation_json(evaluation));
}

void write_evaluation(const fs::path& folder, const Evaluation& evaluation) {
  for (const auto& old : evaluation_files(folder)) {
    std::error_code ignored;
    if (old != json_name) fs::remove(folder / old, ignored);
  }
  auto json = evaluation_json(evaluation);
  json["curves"] = Json::object();
  for (const auto& table : evaluation.tables) {
    if (!table.plot) continue;
    json["curves"][table.name] = json_of(table);
    file::write_atomically(folder / (table.name + ".csv"),
                           [&](std::ostream& out) { write_curve(out, table); });
    file::write_atomically(folder / (table.name + ".svg"),
                           [&](std::ostream& out) { out << text::svg_document(curve_chart(table)); });
  }
  PartScoresFiles::write(folder, evaluation.parts);
  json["per_query"] = {{"file", queries_name}, {"columns", json_of(evaluation.per_query.columns)}};
  write_query_table(folder / queries_name, evaluation.per_query);
  file::write_atomically(folder / "evaluation.txt",
                         [&](std::ostream& out) { out << evaluation_text(evaluation); });
  write_json(folder / json_name, json);
}

Evaluation read_evaluation(const fs::path& file) {
  const auto json = Json::parse(file::read_text(file), file::ShallowJson(file), /*allow_exceptions=*/false);
  if (json.is_discarded()) throw DataError(file, "is not valid JSON: it is damaged or incomplete");
  return evaluation_of(json, file);
}

std::vector<std::string> evaluation_files(const fs::path& folder) {
  if (!file::is_there(folder / json_name)) return {};
  std::vector<std::string> files{json_name};
  try {
    for (const auto& table : read_evaluation(folder / json_name).tables) {
      if (table.plot) files.insert(files.end(), {table.name + ".csv", table.name + ".svg"});
    }
  } catch (const file::ReadError&) {
    throw;
  } catch (const DataError&) {
    return {};
  }
  files.insert(files.end(), {queries_name, PartScoresFiles::cameras_name, PartScoresFiles::domains_name});
  std::erase_if(files, [&](const std::string& name) { return !file::is_there(folder / name); });
  return files;
}

void write_query_table(std::ostream& out, const QueryTable& table) {
  std::vector<std::string> header{"path", "identity", "camera", "matches"};
  for (const auto& column : table.columns) header.push_back(column.name);
  write_csv_row(out, header);
  for (std::size_t i = 0; i < table.queries.size(); ++i) {
    const auto& query = table.queries[i];
    std::vector<std::string> cells{query.path,
                                   query.identity == unlabeled_identity ? "" : std::to_string(query.identity),
                                   query.camera == unknown_camera ? "" : std::to_string(query.camera),
                                   query.matches == 0 ? "" : std::to_string(query.matches)};
    for (const auto& column : table.columns) cells.push_back(query_cell(column.kind, column.values[i]));
    write_csv_row(out, cells);
  }
}

void write_query_table(const fs::path& file, const QueryTable& table) {
  file::write_atomically(file, [&](std::ostream& out) { write_query_table(out, table); });
}

QueryTable read_query_table(const fs::path& file, const std::vector<MetricColumn>& known) {
  const auto csv = CsvTable::read(file);
  const auto path = csv.column("path");
  const auto identity = csv.column("identity");
  const auto camera = csv.column("camera");
  const auto matches = csv.column("matches");
  QueryTable table;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < csv.header().size(); ++i) {
    if (i == path || i == identity || i == camera || i == matches) continue;
    const auto& name = csv.header()[i];
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&](const MetricColumn& column) { return column.name == name; });
    places.push_back(i);
    table.columns.push_back(at == known.end() ? MetricColumn{name, name, FigureKind::number, {}}
                                              : MetricColumn{name, at->label, at->kind, {}});
  }
  const auto integer = [&](const CsvRow& row, std::size_t column, std::int64_t otherwise) {
    return row.cells[column].empty() ? otherwise : csv.integer(row, column);
  };
  for (const auto& row : csv.rows()) {
    table.queries.push_back({row.cells[path], integer(row, identity, unlabeled_identity),
                             integer(row, camera, unknown_camera), integer(row, matches, 0)});
    for (std::size_t i = 0; i < places.size(); ++i) {
      table.columns[i].values.push_back(number_or_nan_in(csv, row, places[i]));
    }
  }
  return table;
}

void read_curve(const fs::path& folder, MetricTable& curve) {
  const auto csv = CsvTable::read(folder / (curve.name + ".csv"));
  for (auto& column : curve.columns) {
    const auto place = csv.column(column.name);
    column.values.clear();
    for (const auto& row : csv.rows()) column.values.push_back(number_or_nan_in(csv, row, place));
  }
}

}  // namespace kindred::results
