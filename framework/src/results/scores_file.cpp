#include "results/scores_file.h"

#include <ostream>
#include <utility>

#include "file/atomic_file.h"
#include "results/evaluation_file.h"
#include "results/evaluation_text.h"
#include "results/json_object.h"

namespace kindred::results {

text::TextTable ScoresFile::table() const {
  text::TextTable table;
  table.heads = {"STAGE", "RANKED BY"};
  table.widths = {30, 16};
  std::vector<const Evaluation*> evaluations;
  for (const auto& ranking : rankings) evaluations.push_back(&ranking.scores);
  const auto figures = figures_of(evaluations, Prominence::listed);
  for (const auto& figure : figures) {
    table.heads.push_back(figure.label);
    table.widths.push_back(16);
  }
  table.widths.pop_back();
  for (const auto& ranking : rankings) {
    auto& cells = table.rows.emplace_back(std::vector<std::string>{ranking.stage, ranking.ranked_by});
    for (const auto& figure : figures) {
      const auto* found = ranking.scores.find(figure.name);
      cells.push_back(found == nullptr ? "" : figure_cell(figure.kind, found->value));
    }
  }
  return table;
}

ScoresFile ScoresFile::read(const std::filesystem::path& file) {
  ScoresFile scores;
  for (const auto& entry : JsonObject::read_list(file)) {
    scores.rankings.push_back({entry.get<std::string>("stage"), entry.get<std::string>("ranked_by"),
                               evaluation_of(entry.json(), file)});
  }
  return scores;
}

void ScoresFile::write(const std::filesystem::path& file) const {
  Json list = Json::array();
  for (const auto& ranking : rankings) {
    Json entry = {{"stage", ranking.stage}, {"ranked_by", ranking.ranked_by}};
    entry.update(evaluation_json(ranking.scores));
    list.push_back(std::move(entry));
  }
  write_json(file, list);
  file::write_atomically(std::filesystem::path(file).replace_extension(".md"),
                         [&](std::ostream& out) { out << table().markdown(); });
}

}  // namespace kindred::results
