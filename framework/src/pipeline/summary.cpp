#include "pipeline/summary.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <system_error>
#include <utility>

#include "file/atomic_file.h"
#include "progress/progress.h"
#include "text/text_table.h"

namespace kindred::pipeline {
namespace {

using Json = nlohmann::ordered_json;

std::string rounded(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

/// Short times with a digit more than duration_text() gives.
std::string time_text(double seconds) {
  return seconds < 60 ? rounded(seconds, 1) + " s" : progress::duration_text(seconds);
}

/// Rows of the table as Markdown: the first cell to the left, numbers to the right.
std::string markdown(const text::TextTable& table) {
  const auto line = [](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (const auto& cell : cells) text += " " + cell + " |";
    return text + "\n";
  };
  std::string text = line(table.heads) + "| --- |";
  for (std::size_t i = 1; i < table.heads.size(); ++i) text += " ---: |";
  text += "\n";
  for (const auto& row : table.rows) text += line(row);
  return text;
}

Json cost_json(const StageRecord& record) {
  return {{"stage", record.name},
          {"type", record.key.type},
          {"seconds", record.cost.seconds},
          {"images", record.cost.images},
          {"images_per_second", record.cost.images_per_second()},
          {"peak_memory_mib", record.cost.peak_memory_mib}};
}

struct ScoreRow {
  std::string stage;
  std::string by;
  Json scores;
};

std::optional<Json> read_scores(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) return std::nullopt;
  auto json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("mAP")) return std::nullopt;
  return json;
}

std::string percent(const Json& scores, const char* key) {
  const auto found = scores.find(key);
  return found == scores.end() || !found->is_number() ? "" : rounded(100 * found->get<double>(), 2);
}

void write(const std::filesystem::path& file, const std::string& text) {
  file::write_atomically(file, [&](std::ostream& out) { out << text; });
}

}  // namespace

std::string write_costs(const std::filesystem::path& folder, const std::vector<StageRecord>& records) {
  text::TextTable table;
  table.heads = {"STAGE", "TYPE", "TIME", "IMAGES", "IMAGES/S", "PEAK MEMORY"};
  table.widths = {30, 12, 14, 14, 14};
  Json stages = Json::array();
  StageCost total;
  for (const auto& record : records) {
    const auto& cost = record.cost;
    const bool counted = cost.images > 0;
    table.rows.push_back(
        {record.name, record.key.type, time_text(cost.seconds),
         counted ? text::grouped_digits(cost.images) : "-",
         counted ? rounded(cost.images_per_second(), cost.images_per_second() < 10 ? 1 : 0) : "-",
         rounded(cost.peak_memory_mib, 0) + " MiB"});
    stages.push_back(cost_json(record));
    total.seconds += cost.seconds;
    total.peak_memory_mib = std::max(total.peak_memory_mib, cost.peak_memory_mib);
  }
  table.rows.push_back(
      {"total", "", time_text(total.seconds), "", "", rounded(total.peak_memory_mib, 0) + " MiB"});
  const Json json = {{"stages", stages},
                     {"total", {{"seconds", total.seconds}, {"peak_memory_mib", total.peak_memory_mib}}}};
  write(folder / "costs.json", json.dump(2) + "\n");
  write(folder / "costs.md", markdown(table));
  return table.str();
}

std::string write_pipeline_scores(const std::filesystem::path& folder,
                                  const std::vector<StageRecord>& records) {
  std::vector<ScoreRow> rows;
  for (const auto& record : records) {
    if (record.key.type != "rank") continue;
    const auto scores = read_scores(folder / record.name / "evaluation.json");
    const auto plain = read_scores(folder / record.name / "evaluation_plain.json");
    if (plain) rows.push_back({record.name, "descriptors", *plain});
    if (scores) rows.push_back({record.name, plain ? "post-processed" : "descriptors", *scores});
  }
  if (rows.empty()) {
    std::error_code ignored;
    for (const auto* file : {"scores.json", "scores.md"}) std::filesystem::remove(folder / file, ignored);
    return "";
  }
  text::TextTable table;
  table.heads = {"STAGE", "RANKED BY", "mAP", "RANK-1", "RANK-5", "mINP", "SCORE"};
  table.widths = {30, 16, 8, 8, 8, 8};
  Json json = Json::array();
  for (const auto& row : rows) {
    table.rows.push_back({row.stage, row.by, percent(row.scores, "mAP"), percent(row.scores, "rank1"),
                          percent(row.scores, "rank5"), percent(row.scores, "mINP"),
                          percent(row.scores, "score")});
    Json entry = {{"stage", row.stage}, {"ranked_by", row.by}};
    entry.update(row.scores);
    json.push_back(std::move(entry));
  }
  write(folder / "scores.json", json.dump(2) + "\n");
  write(folder / "scores.md", markdown(table));
  return table.str();
}

}  // namespace kindred::pipeline
