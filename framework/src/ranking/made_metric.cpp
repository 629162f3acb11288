#include "ranking/made_metric.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/utf8.h"

namespace kindred::ranking {
namespace {

/// Of a figure, a column or a table: it becomes a key, a CSV head, part of an override or a file's name.
bool is_proper(const std::string& name) {
  return !name.empty() && name.front() != '.' && is_utf8(name) &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == '/'; });
}

void require_proper(const MadeMetric& metric, const std::string& what, const std::string& name) {
  if (is_proper(name)) return;
  throw ComponentError(metric.component, "calls a " + what + " '" + escaped(name) +
                                             "'; a name is UTF-8, has no white space and no '/', and does "
                                             "not begin with '.'");
}

/// Of what people read: it stands in tables of the terminal, in Markdown and in pages.
void require_line(const MadeMetric& metric, const std::string& what, const std::string& text) {
  const bool is_line =
      is_utf8(text) && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' '; });
  if (is_line) return;
  throw ComponentError(metric.component,
                       "gives " + what + " the text '" + escaped(text) + "', which is not one line in UTF-8");
}

void check_columns(const MadeMetric& metric, const std::string& what, std::size_t rows,
                   const std::vector<MetricColumn>& columns) {
  for (const auto& column : columns) {
    require_proper(metric, "column", column.name);
    require_line(metric, "the column '" + column.name + "'", column.label);
    if (column.values.size() == rows) continue;
    throw ComponentError(metric.component, "gives " + std::to_string(column.values.size()) +
                                               " values in the column '" + column.name + "' of " + what +
                                               ", which has " + std::to_string(rows) + " rows");
  }
}

void check_cautions(const MadeMetric& metric, const std::string& what, std::size_t values,
                    const std::vector<std::string>& cautions) {
  if (cautions.empty() || cautions.size() == values) return;
  throw ComponentError(metric.component, "gives " + std::to_string(cautions.size()) + " cautions for " +
                                             what + ", which are " + std::to_string(values) +
                                             "; give one for each, or none at all");
}

bool has_column(const MetricTable& table, const std::string& name) {
  return std::any_of(table.columns.begin(), table.columns.end(),
                     [&](const MetricColumn& column) { return column.name == name; });
}

}  // namespace

std::vector<MadeMetric> create_metrics(const recipe::EvaluationPlan& plan) {
  std::vector<MadeMetric> made;
  std::map<std::string, std::string> owners;  // of figures
  Diagnostics diagnostics;
  for (const auto& choice : plan.metrics) {
    const auto& info = choice.factory->info();
    MadeMetric one{
        choice.name, info.id(), choice.name == info.name ? "" : choice.name + ".", choice.create({}), {}};
    one.figures = one.metric->figures();
    for (auto& figure : one.figures) {
      require_proper(one, "figure", figure.name);
      for (const auto* text : {&figure.label, &figure.doc}) {
        require_line(one, "the figure '" + figure.name + "'", *text);
      }
      figure.name = one.prefix + figure.name;
      figure.label = (one.prefix.empty() ? "" : one.name + " ") + figure.label;
      const auto [owner, is_new] = owners.emplace(figure.name, one.name);
      if (is_new) continue;
      diagnostics.error(choice.location, "metric '" + one.name + "' gives a figure '" + figure.name +
                                             "', and so does '" + owner->second +
                                             "' ahead of it; give one of them a 'name', which is then put "
                                             "before its figures, or leave one out");
    }
    made.push_back(std::move(one));
  }
  diagnostics.throw_if_any();
  return made;
}

FigureInfo best_figure(const recipe::Plan& plan) {
  std::vector<std::string> names;
  for (const auto& metric : create_metrics(plan)) {
    for (const auto& figure : metric.figures) {
      if (figure.name == plan.train.best_by) return figure;
      names.push_back(figure.name);
    }
  }
  throw RecipeError(plan.best_by_location, "train.best_by: no metric of the recipe gives a figure '" +
                                               plan.train.best_by + "'; choose " + quoted_list(names));
}

void check_result(const MadeMetric& metric, std::size_t queries, MetricResult& result) {
  if (result.values.size() != metric.figures.size()) {
    throw ComponentError(metric.component, "gives " + std::to_string(result.values.size()) + " values for " +
                                               std::to_string(metric.figures.size()) + " figures");
  }
  check_cautions(metric, "its values", result.values.size(), result.cautions);
  check_columns(metric, "per_query", queries, result.per_query);
  for (auto& column : result.per_query) column.name = metric.prefix + column.name;
  for (auto& table : result.tables) {
    require_proper(metric, "table", table.name);
    const auto what = "the table '" + table.name + "'";
    for (const auto* text : {&table.title, &table.doc}) require_line(metric, what, *text);
    if (table.columns.empty()) throw ComponentError(metric.component, what + " has no columns");
    check_columns(metric, what, table.columns.front().values.size(), table.columns);
    check_cautions(metric, "the rows of " + what, table.columns.front().values.size(), table.cautions);
    if (table.plot && !(has_column(table, table.plot->x) && has_column(table, table.plot->y))) {
      throw ComponentError(metric.component, what + " is to be drawn by columns that it does not have");
    }
    table.name = metric.prefix + table.name;
  }
}

}  // namespace kindred::ranking
