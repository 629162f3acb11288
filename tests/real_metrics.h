// Plans with the metrics of the plugin `metrics`, linked and not loaded.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "open_set.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "results/evaluation.h"
#include "retrieval.h"

namespace kindred::test {

/// retrieval and open_set, and what overrides make of them.
inline recipe::RankingPlan real_metrics(const std::vector<std::string>& overrides = {}) {
  static const Catalog catalog = [] {
    Catalog made;
    made.add<metrics::OpenSet>("open_set");
    made.add<metrics::Retrieval>("retrieval");
    return made;
  }();
  return recipe::choose_ranking(recipe::parse_recipe("", "test", overrides), catalog);
}

/// The value of a figure; throws when there is none.
inline double value_of(const results::Evaluation& evaluation, const std::string& name) {
  const auto* figure = evaluation.find(name);
  if (figure == nullptr) throw std::out_of_range("there is no figure " + name);
  return figure->value;
}

/// A column of a table, or of per_query; throws when there is none.
inline const std::vector<double>& column_of(const std::vector<MetricColumn>& columns,
                                            const std::string& name) {
  for (const auto& column : columns) {
    if (column.name == name) return column.values;
  }
  throw std::out_of_range("there is no column " + name);
}
inline const std::vector<double>& column_of(const std::vector<MetricTable>& tables, const std::string& table,
                                            const std::string& name) {
  for (const auto& one : tables) {
    if (one.name == table) return column_of(one.columns, name);
  }
  throw std::out_of_range("there is no table " + table);
}

}  // namespace kindred::test
