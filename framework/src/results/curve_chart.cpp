#include "results/curve_chart.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace kindred::results {

text::LineChart curve_chart(const MetricTable& curve) {
  const auto column = [&](const std::string& name) -> const MetricColumn& {
    return *std::find_if(curve.columns.begin(), curve.columns.end(),
                         [&](const MetricColumn& one) { return one.name == name; });
  };
  const auto& x = column(curve.plot->x);
  const auto& y = column(curve.plot->y);
  const auto xs = axis_values(x);
  const auto ys = axis_values(y);
  text::ChartLine line{curve.title, {}};
  for (std::size_t i = 0; i < xs.size(); ++i) line.points.push_back({xs[i], ys[i]});
  text::LineChart chart;
  chart.name = curve.title + ": " + y.label + " by " + x.label;
  chart.x.label = axis_label(x);
  chart.x.scale = curve.plot->logarithmic_x ? text::ScaleKind::logarithmic : text::ScaleKind::linear;
  chart.x.whole = std::all_of(xs.begin(), xs.end(), [](double value) { return value == std::floor(value); });
  chart.y.label = axis_label(y);
  if (y.kind == FigureKind::share) chart.y.to = 100;
  chart.lines.push_back(std::move(line));
  return chart;
}

std::string axis_label(const MetricColumn& column) {
  return column.label + (column.kind == FigureKind::share ? " in %" : "");
}

std::vector<double> axis_values(const MetricColumn& column) {
  auto values = column.values;
  if (column.kind == FigureKind::share) {
    for (auto& value : values) value *= 100;
  }
  return values;
}

}  // namespace kindred::results
