// A metric's curve as a chart.
#pragma once

#include <string>
#include <vector>

#include "kindred/role/metric.h"
#include "text/chart.h"

namespace kindred::results {

/// Shares are drawn in per cent.
/// @param curve a table with a plot, whose columns there are
[[nodiscard]] text::LineChart curve_chart(const MetricTable& curve);

/// "AP in %", or the label alone for what is not a share.
[[nodiscard]] std::string axis_label(const MetricColumn& column);
/// The values, of a share in per cent.
[[nodiscard]] std::vector<double> axis_values(const MetricColumn& column);

}  // namespace kindred::results
