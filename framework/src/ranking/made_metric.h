// The metrics of a recipe, ready to judge.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kindred/role/metric.h"
#include "recipe/plan.h"

namespace kindred::ranking {

struct MadeMetric {
  std::string name;       ///< of the recipe's entry
  std::string component;  ///< "metric/NAME", for errors
  /// "", or "NAME." of an entry that is called otherwise than its type: heads the names of its figures,
  /// columns and tables, so that two entries of one type can be told apart.
  std::string prefix;
  std::unique_ptr<Metric> metric;
  std::vector<FigureInfo> figures;  ///< with the prefix
};

/// Makes the metrics of a plan. Throws RecipeError for parameters that one of them refuses, and when two
/// figures have one name; ComponentError for a figure that has no proper name.
[[nodiscard]] std::vector<MadeMetric> create_metrics(const recipe::EvaluationPlan& plan);

/// What train.best_by names. Throws RecipeError that lists the figures when there is no such figure, and as
/// create_metrics() does.
[[nodiscard]] FigureInfo best_figure(const recipe::Plan& plan);

/// Checks what a metric has given and puts its prefix before the names. Throws ComponentError naming the
/// metric when it has not the shape that role/metric.h wants.
/// @param queries that were judged
void check_result(const MadeMetric& metric, std::size_t queries, MetricResult& result);

}  // namespace kindred::ranking
