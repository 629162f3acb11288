#include "results/evaluation_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include "text/number_text.h"
#include "text/text_table.h"

namespace kindred::results {
namespace {

/// With a plus sign before what is above 0, when asked, and none before what is shown as 0.
std::string with_sign(const std::string& number, bool sign) {
  if (!sign) return number;
  if (number.find_first_not_of("-0.") == std::string::npos)
    return number.substr(number.front() == '-' ? 1 : 0);
  return (number.front() != '-' ? "+" : "") + number;
}

std::string figure_lines(const Evaluation& evaluation) {
  std::string text;
  std::string cautions;
  const std::string* metric = nullptr;
  for (const auto& figure : evaluation.figures) {
    if (figure.info.prominence == Prominence::detail) continue;
    if (metric != nullptr) text += *metric == figure.metric ? "  " : "\n";
    metric = &figure.metric;
    text += figure.info.label + " " + figure_text(figure.info.kind, figure.value);
    if (figure.caution.empty()) continue;
    text += " ?";
    if (!std::isnan(figure.value)) cautions += "? " + figure.info.label + ": " + figure.caution + "\n";
  }
  for (const auto& reason : reasons_without_value(evaluation)) cautions += "? " + reason + "\n";
  return (text.empty() ? text : text + "\n") + cautions;
}

std::string table_text(const MetricTable& table) {
  text::TextTable grid;
  grid.indent = 2;
  std::size_t rows = 0;
  for (const auto& column : table.columns) {
    auto head = column.label;
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    grid.heads.push_back(std::move(head));
    rows = column.values.size();
  }
  const bool cautions = !table.cautions.empty();
  if (cautions) grid.heads.emplace_back("CAUTION");
  grid.widths.assign(grid.heads.size() - 1, 20);
  for (std::size_t row = 0; row < rows; ++row) {
    auto& cells = grid.rows.emplace_back();
    for (const auto& column : table.columns) cells.push_back(figure_text(column.kind, column.values[row]));
    if (cautions) cells.push_back(table.cautions[row].empty() ? "-" : table.cautions[row]);
  }
  return table.title + ":\n" + grid.str();
}

}  // namespace

std::string figure_text(FigureKind kind, double value) {
  return figure_cell(kind, value) + (kind == FigureKind::share && !std::isnan(value) ? " %" : "");
}

std::string figure_cell(FigureKind kind, double value, bool sign) {
  if (std::isnan(value)) return "-";
  if (kind == FigureKind::share) return with_sign(text::fixed_text(100 * value, 2), sign);
  // Four digits, but all of a whole number.
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  return with_sign(whole ? text::fixed_text(value, 0) : text::significant_text(value, 4), sign);
}

std::string evaluation_text(const Evaluation& evaluation) {
  auto text = figure_lines(evaluation);
  text += std::to_string(evaluation.valid_queries) + " of " +
          text::count_text(evaluation.queries, "query", "queries") + " in " +
          text::count_text(evaluation.gallery, "gallery image", "gallery images") + " (" +
          text::count_text(evaluation.distractors, "distractor", "distractors") + ", " +
          std::to_string(evaluation.junk) + " junk ignored), " +
          (evaluation.cameras_known ? "across cameras" : "single-camera mode");
  if (!evaluation.note.empty()) text += ": " + evaluation.note;
  text += "\n";
  for (const auto& table : evaluation.tables) {
    if (!table.plot) text += table_text(table);
  }
  return text;
}

}  // namespace kindred::results
