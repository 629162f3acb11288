#include "results/scores_file.h"

#include <ostream>
#include <utility>

#include "file/atomic_file.h"
#include "results/json_object.h"
#include "text/number_text.h"

namespace kindred::results {
namespace {

std::string percent_cell(const Json& scores, const char* key) {
  const auto found = scores.find(key);
  const bool known = found != scores.end() && found->is_number();
  return known ? text::fixed_text(100 * found->get<double>(), 2) : "";
}

}  // namespace

text::TextTable ScoresFile::table() const {
  text::TextTable table;
  table.heads = {"STAGE", "RANKED BY", "mAP", "RANK-1", "RANK-5", "mINP", "SCORE"};
  table.widths = {30, 16, 8, 8, 8, 8};
  for (const auto& ranking : rankings) {
    std::vector<std::string> row{ranking.stage, ranking.ranked_by};
    for (const auto* key : {"mAP", "rank1", "rank5", "mINP", "score"}) {
      row.push_back(percent_cell(ranking.scores, key));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ScoresFile ScoresFile::read(const std::filesystem::path& file) {
  ScoresFile scores;
  for (const auto& entry : JsonObject::read_list(file)) {
    auto figures = entry.json();
    for (const auto* key : {"stage", "ranked_by"}) figures.erase(key);
    scores.rankings.push_back(
        {entry.get<std::string>("stage"), entry.get<std::string>("ranked_by"), std::move(figures)});
  }
  return scores;
}

void ScoresFile::write(const std::filesystem::path& file) const {
  Json list = Json::array();
  for (const auto& ranking : rankings) {
    Json entry = {{"stage", ranking.stage}, {"ranked_by", ranking.ranked_by}};
    entry.update(ranking.scores);
    list.push_back(std::move(entry));
  }
  write_json(file, list);
  file::write_atomically(std::filesystem::path(file).replace_extension(".md"),
                         [&](std::ostream& out) { out << table().markdown(); });
}

}  // namespace kindred::results
