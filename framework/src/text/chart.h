// Charts as inline SVG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "text/html.h"

namespace kindred::text {

enum class ScaleKind { linear, logarithmic };

/// Where values lie along an axis, in the SVG's units.
class Scale {
 public:
  /// Widens a range that is no range (`from` equal to `to`) around its value. Throws std::logic_error when
  /// the range is not finite, descends, or has no logarithm where one is needed.
  Scale(ScaleKind kind, double from, double to, double first_unit, double last_unit);

  [[nodiscard]] double at(double value) const;
  [[nodiscard]] double from() const { return from_; }
  [[nodiscard]] double to() const { return to_; }

  struct Tick {
    double value = 0;
    std::string text;
  };
  /// Round values within the range, about `wanted` of them: multiples of 1, 2 or 5 times a power of ten,
  /// written with as many digits as tell them apart; of a logarithmic scale powers of ten, or 1, 2 and 5
  /// times those when there are fewer than two, or, when there are fewer than two even of these, the ticks of
  /// a linear scale.
  [[nodiscard]] std::vector<Tick> ticks(int wanted) const;

 private:
  ScaleKind kind_;
  double from_;
  double to_;
  double first_unit_;
  double last_unit_;
};

struct ChartPoint {
  double x = 0;
  double y = 0;
};

struct ChartLine {
  std::string name;  ///< in the legend, when the chart has several lines
  std::vector<ChartPoint> points;
};

struct Axis {
  std::string label;
  ScaleKind scale = ScaleKind::linear;
  /// The range; without one (both equal) that of the points, on a linear scale with 0
  /// when `with_zero`.
  double from = 0;
  double to = 0;
  bool with_zero = false;
  bool whole = false;  ///< only whole numbers have ticks
};

enum class ChartSize { normal, small };

struct LineChart {
  std::string name;  ///< what is shown, for those who cannot see it: "loss by epoch"
  Axis x;
  Axis y;
  std::vector<ChartLine> lines;
  ChartSize size = ChartSize::normal;
};

/// The rules of a page that draws charts. Colors are its variables --ink, --quiet, --grid and --s0 to --s3.
[[nodiscard]] const std::string& chart_style();

/// The chart with its legend. A line has a gap where a point is not finite, beyond 1e100, or at or below 0 on
/// a logarithmic axis; a point between two gaps is a dot. Points that nobody could tell from the last one
/// drawn are left out. Without any point the chart is a sentence that says so.
[[nodiscard]] Html draw(const LineChart& chart);

/// The chart as a file of its own, on white and with its name as title. It has no legend: it is for one line.
[[nodiscard]] std::string svg_document(const LineChart& chart);

struct Histogram {
  std::string name;
  std::string label;  ///< of the x axis
  std::string unit;   ///< of what is counted: "queries"
  double from = 0;
  double to = 1;
  std::vector<std::int64_t> counts;  ///< of bins of equal width
};

/// How many of the values lie in each of `bins` parts of [from, to]; `to` belongs to the last, values outside
/// and those that are not finite to none.
[[nodiscard]] std::vector<std::int64_t> count_in_bins(const std::vector<double>& values, double from,
                                                      double to, std::size_t bins);

[[nodiscard]] Html draw(const Histogram& histogram);

}  // namespace kindred::text
