#include "text/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "text/number_text.h"

namespace kindred::text {
namespace {

/// What the variables of chart_style() are in a file of its own.
constexpr std::pair<std::string_view, std::string_view> document_colors[] = {
    {"--ink", "#1b2027"}, {"--quiet", "#5a6472"}, {"--grid", "#e9ecef"}, {"--s0", "#245a8d"},
    {"--s1", "#c2601c"},  {"--s2", "#157347"},    {"--s3", "#7b4aa3"},
};
constexpr double document_scale = 2;  // pixels of a unit
constexpr double largest_drawn = 1e100;
/// Lines beyond these many styles begin anew with the first.
constexpr std::size_t styles = 4;
/// Of a line: so many points are dots, and so many say their value when pointed at.
constexpr std::size_t most_dots = 40;
constexpr std::size_t most_titles = 400;

bool drawable(double value, ScaleKind scale) {
  return std::isfinite(value) && std::abs(value) < largest_drawn && (scale == ScaleKind::linear || value > 0);
}

/// 1, 2 or 5 times a power of ten, near `size`.
double round_step(double size) {
  const double power = std::pow(10, std::floor(std::log10(size)));
  const double rest = size / power;
  return power * (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10);
}

/// The place of the first digit: 0 for 3, 2 for 100, -5 for 2e-5.
int first_place(double number) {
  return static_cast<int>(std::floor(std::log10(number) + 1e-9));
}

std::string tick_text(double value, double step) {
  const double size = std::abs(value);
  if (size < step / 2) return "0";
  const bool long_or_small = size >= 1e6 || step < 1e-4;
  const bool grouped = size >= 1e6 && size < 1e15 && step >= 1;
  const bool few_digits = first_place(size) - first_place(step) < 4;  // as many as number_text() writes
  if (grouped || (long_or_small && few_digits)) return number_text(value);
  return fixed_text(value, std::max(0, -first_place(step)));
}

std::vector<Scale::Tick> linear_ticks(double from, double to, int wanted) {
  std::vector<Scale::Tick> ticks;
  const double step = round_step((to - from) / wanted);
  const double last = std::floor(to / step + 1e-6);
  for (double i = std::ceil(from / step - 1e-6); i <= last; ++i) {
    ticks.push_back({i * step, tick_text(i * step, step)});
    if (i + 1 == i) break;  // a range too narrow for its place among the numbers
  }
  return ticks;
}

std::vector<Scale::Tick> logarithmic_ticks(double from, double to, int wanted) {
  const auto first = static_cast<int>(std::ceil(std::log10(from) - 1e-9));
  const auto last = static_cast<int>(std::floor(std::log10(to) + 1e-9));
  std::vector<Scale::Tick> ticks;
  if (last > first) {
    const int stride = std::max(1, static_cast<int>(std::lround((last - first + 1.0) / wanted)));
    for (int power = first; power <= last; power += stride) {
      ticks.push_back({std::pow(10, power), number_text(std::pow(10, power))});
    }
    return ticks;
  }
  for (int power = first - 1; power <= last + 1; ++power) {
    for (const int digit : {1, 2, 5}) {
      const double value = digit * std::pow(10, power);
      if (value >= from * (1 - 1e-9) && value <= to * (1 + 1e-9))
        ticks.push_back({value, number_text(value)});
    }
  }
  return ticks.size() >= 2 ? ticks : linear_ticks(from, to, wanted);
}

/// A number of the drawing, to a hundredth of a unit.
std::string unit_text(double value) {
  auto text = fixed_text(value, 2);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

struct Layout {
  double width;
  double height;
  double font;
  double top;
  double right;
  double bottom;
  int x_ticks;
  int y_ticks;
};
constexpr Layout normal_layout = {380, 240, 11.5, 28, 14, 38, 6, 5};
constexpr Layout small_layout = {190, 118, 10, 22, 10, 18, 2, 2};

double widest(const std::vector<Scale::Tick>& ticks, double font) {
  std::size_t characters = 1;
  for (const auto& tick : ticks) characters = std::max(characters, tick.text.size());
  return 0.6 * font * static_cast<double>(characters);
}

/// The part of a chart that its data lie in, and what is written around it.
struct Frame {
  Layout layout;
  Scale x;
  Scale y;
  double left;
  std::vector<Scale::Tick> x_ticks;
  std::vector<Scale::Tick> y_ticks;

  [[nodiscard]] double bottom() const { return layout.height - layout.bottom; }
  [[nodiscard]] double right() const { return layout.width - layout.right; }
};

struct Range {
  double from;
  double to;
};

/// Ticks at whole numbers alone, written without a fraction.
void keep_whole(std::vector<Scale::Tick>& ticks) {
  const auto is_fraction = [](const Scale::Tick& tick) {
    return std::abs(tick.value - std::round(tick.value)) > 1e-9;
  };
  ticks.erase(std::remove_if(ticks.begin(), ticks.end(), is_fraction), ticks.end());
  for (auto& tick : ticks) tick.text = number_text(std::round(tick.value));
}

Frame make_frame(const Layout& layout, const Axis& x, Range x_range, const Axis& y, Range y_range) {
  const Scale vertical(y.scale, y_range.from, y_range.to, layout.height - layout.bottom, layout.top);
  auto y_ticks = vertical.ticks(layout.y_ticks);
  const double left = 8 + widest(y_ticks, layout.font);
  const Scale horizontal(x.scale, x_range.from, x_range.to, left, layout.width - layout.right);
  auto x_ticks = horizontal.ticks(layout.x_ticks);
  if (x.whole) keep_whole(x_ticks);
  if (y.whole) keep_whole(y_ticks);
  return {layout, horizontal, vertical, left, std::move(x_ticks), std::move(y_ticks)};
}

Html svg_text(double x, double y, const std::string& kind, const std::string& what) {
  return element("text", {{"x", unit_text(x)}, {"y", unit_text(y)}, {"class", kind}}, what);
}

Html svg_line(double x1, double y1, double x2, double y2, const std::string& kind) {
  return element("line",
                 {{"x1", unit_text(x1)},
                  {"y1", unit_text(y1)},
                  {"x2", unit_text(x2)},
                  {"y2", unit_text(y2)},
                  {"class", kind}},
                 {});
}

Html draw_frame(const Frame& frame, const std::string& x_label, const std::string& y_label) {
  Html html;
  for (const auto& tick : frame.y_ticks) {
    const double y = frame.y.at(tick.value);
    html += svg_line(frame.left, y, frame.right(), y, "grid");
    html += svg_text(frame.left - 5, y + 0.35 * frame.layout.font, "end", tick.text);
  }
  html += svg_line(frame.left, frame.bottom(), frame.right(), frame.bottom(), "axis");
  for (const auto& tick : frame.x_ticks) {
    const double x = frame.x.at(tick.value);
    html += svg_line(x, frame.bottom(), x, frame.bottom() + 4, "axis");
    html += svg_text(x, frame.bottom() + 5 + frame.layout.font, "middle", tick.text);
  }
  html += svg_text(2, frame.layout.font, "label", y_label);
  if (!x_label.empty()) {
    html += svg_text((frame.left + frame.right()) / 2, frame.layout.height - 4, "label middle", x_label);
  }
  return html;
}

Html svg(const Layout& layout, const std::string& name, const Html& content) {
  return element("svg",
                 {{"viewBox", "0 0 " + unit_text(layout.width) + " " + unit_text(layout.height)},
                  {"class", layout.width < normal_layout.width ? "chart small" : "chart"},
                  {"font-size", unit_text(layout.font)},
                  {"role", "img"},
                  {"aria-label", name}},
                 content);
}

Html nothing_to_draw(const std::string& name) {
  return element("p", {{"class", "empty"}}, "Nothing to draw for " + name + ".");
}

/// The range of an axis, from what is asked for or from the points; nothing finite gives from > to.
Range range_of(const Axis& axis, const std::vector<ChartLine>& lines, double ChartPoint::*coordinate,
               const Axis& other, double ChartPoint::*other_coordinate) {
  if (axis.from < axis.to) return {axis.from, axis.to};
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const auto& line : lines) {
    for (const auto& point : line.points) {
      const double value = point.*coordinate;
      if (!drawable(value, axis.scale) || !drawable(point.*other_coordinate, other.scale)) continue;
      range.from = std::min(range.from, value);
      range.to = std::max(range.to, value);
    }
  }
  if (range.from <= range.to && axis.with_zero && axis.scale == ScaleKind::linear) {
    range.from = std::min(range.from, 0.0);
    range.to = std::max(range.to, 0.0);
  }
  return range;
}

std::string point_text(const LineChart& chart, const ChartLine& line, const ChartPoint& point) {
  return (chart.lines.size() > 1 ? line.name + ", " : "") + chart.x.label + " " + number_text(point.x) +
         ": " + number_text(point.y);
}

Html draw_line(const LineChart& chart, const ChartLine& line, const std::string& style, const Frame& frame) {
  struct Spot {
    double x;
    double y;
  };
  Html html;
  std::vector<Spot> piece;
  const auto end_piece = [&] {
    if (piece.size() == 1) {
      html += element("circle",
                      {{"cx", unit_text(piece[0].x)},
                       {"cy", unit_text(piece[0].y)},
                       {"r", "2.5"},
                       {"class", "dot " + style}},
                      {});
    } else if (piece.size() > 1) {
      std::string points;
      for (const auto& spot : piece) {
        points += (points.empty() ? "" : " ") + unit_text(spot.x) + "," + unit_text(spot.y);
      }
      html += element("polyline", {{"points", points}, {"class", "line " + style}}, {});
    }
    piece.clear();
  };
  for (std::size_t i = 0; i < line.points.size(); ++i) {
    const auto& point = line.points[i];
    if (!drawable(point.x, chart.x.scale) || !drawable(point.y, chart.y.scale)) {
      end_piece();
      continue;
    }
    const Spot spot{frame.x.at(point.x), frame.y.at(point.y)};
    const bool last = i + 1 == line.points.size();
    const bool same =
        !piece.empty() && std::abs(spot.x - piece.back().x) < 0.3 && std::abs(spot.y - piece.back().y) < 0.3;
    if (!same || last) piece.push_back(spot);
  }
  end_piece();
  if (line.points.size() > most_titles || chart.size == ChartSize::small) return html;
  const bool dots = line.points.size() <= most_dots;
  for (const auto& point : line.points) {
    if (!drawable(point.x, chart.x.scale) || !drawable(point.y, chart.y.scale)) continue;
    html += element("circle",
                    {{"cx", unit_text(frame.x.at(point.x))},
                     {"cy", unit_text(frame.y.at(point.y))},
                     {"r", dots ? "2.2" : "5"},
                     {"class", dots ? "dot " + style : "hit"}},
                    element("title", point_text(chart, line, point)));
  }
  return html;
}

}  // namespace

Scale::Scale(ScaleKind kind, double from, double to, double first_unit, double last_unit)
    : kind_(kind), from_(from), to_(to), first_unit_(first_unit), last_unit_(last_unit) {
  if (!std::isfinite(from) || !std::isfinite(to) || from > to ||
      (kind == ScaleKind::logarithmic && from <= 0)) {
    throw std::logic_error("a scale from " + std::to_string(from) + " to " + std::to_string(to));
  }
  // Narrower than what numbers of this size can tell apart is no range either.
  if (to - from <= 1e-9 * std::max(std::abs(from), std::abs(to))) {
    const double half = from == 0 ? 1 : 0.1 * std::abs(from);
    from_ -= half;
    to_ += half;
  }
}

double Scale::at(double value) const {
  const double share = kind_ == ScaleKind::linear
                           ? (value - from_) / (to_ - from_)
                           : (std::log(value) - std::log(from_)) / (std::log(to_) - std::log(from_));
  return first_unit_ + share * (last_unit_ - first_unit_);
}

std::vector<Scale::Tick> Scale::ticks(int wanted) const {
  return kind_ == ScaleKind::linear ? linear_ticks(from_, to_, wanted)
                                    : logarithmic_ticks(from_, to_, wanted);
}

const std::string& chart_style() {
  static const std::string css = R"css(
.chart text { fill: var(--quiet); font-family: inherit; }
.chart .end { text-anchor: end; } .chart .middle { text-anchor: middle; }
.chart .count { fill: var(--ink); }
.chart .grid { stroke: var(--grid); stroke-width: 1; } .chart .axis { stroke: var(--quiet); stroke-width: 1; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); stroke-dasharray: 6 4; }
.line.s2 { stroke: var(--s2); stroke-dasharray: 2 4; } .line.s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; }
.dot.s0 { fill: var(--s0); } .dot.s1 { fill: var(--s1); } .dot.s2 { fill: var(--s2); } .dot.s3 { fill: var(--s3); }
.hit { fill: transparent; } .bar { fill: var(--s0); }
)css";
  return css;
}

namespace {

/// What stands inside the chart's svg element; nothing where nothing can be drawn.
struct Drawing {
  Layout layout;
  Html content;
};
std::optional<Drawing> drawing_of(const LineChart& chart) {
  const auto x_range = range_of(chart.x, chart.lines, &ChartPoint::x, chart.y, &ChartPoint::y);
  auto y_range = range_of(chart.y, chart.lines, &ChartPoint::y, chart.x, &ChartPoint::x);
  if (x_range.from > x_range.to || y_range.from > y_range.to) return std::nullopt;
  const auto frame = make_frame(chart.size == ChartSize::normal ? normal_layout : small_layout, chart.x,
                                x_range, chart.y, y_range);
  const bool small = chart.size == ChartSize::small;
  auto content = draw_frame(frame, small ? "" : chart.x.label, chart.y.label);
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    content += draw_line(chart, chart.lines[i], "s" + std::to_string(i % styles), frame);
  }
  return Drawing{frame.layout, std::move(content)};
}

}  // namespace

Html draw(const LineChart& chart) {
  const auto drawing = drawing_of(chart);
  if (!drawing) return nothing_to_draw(chart.name);
  auto html = svg(drawing->layout, chart.name, drawing->content);
  if (chart.lines.size() < 2) return html;
  Html legend;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const auto style = "s" + std::to_string(i % styles);
    const auto sample = element("svg", {{"viewBox", "0 0 24 8"}, {"aria-hidden", "true"}},
                                svg_line(0, 4, 24, 4, "line " + style));
    legend += element("li", sample + chart.lines[i].name);
  }
  return html + element("ul", {{"class", "legend"}}, legend);
}

std::string svg_document(const LineChart& chart) {
  auto css = chart_style();
  for (const auto& [name, color] : document_colors) {
    const auto variable = "var(" + std::string(name) + ")";
    for (auto at = css.find(variable); at != std::string::npos; at = css.find(variable, at)) {
      css.replace(at, variable.size(), color);
    }
  }
  const auto drawing = drawing_of(chart);
  const auto layout = drawing ? drawing->layout : normal_layout;
  const auto content =
      drawing ? drawing->content : svg_text(layout.width / 2, layout.height / 2, "middle", "Nothing to draw");
  const auto background = element("rect", {{"width", "100%"}, {"height", "100%"}, {"fill", "#ffffff"}}, {});
  return element("svg",
                 {{"xmlns", "http://www.w3.org/2000/svg"},
                  {"viewBox", "0 0 " + unit_text(layout.width) + " " + unit_text(layout.height)},
                  {"width", unit_text(document_scale * layout.width)},
                  {"height", unit_text(document_scale * layout.height)},
                  {"class", "chart"},
                  {"font-size", unit_text(layout.font)},
                  {"font-family", "sans-serif"}},
                 element("title", chart.name) + Html::style(css) + background + content)
             .markup() +
         "\n";
}

std::vector<std::int64_t> count_in_bins(const std::vector<double>& values, double from, double to,
                                        std::size_t bins) {
  if (bins == 0 || !(from < to)) throw std::logic_error("count_in_bins: there are no bins");
  std::vector<std::int64_t> counts(bins);
  for (const double value : values) {
    if (!(value >= from && value <= to)) continue;
    // The smallest error of rounding must not put 0.3 into the bin below.
    const auto bin =
        static_cast<std::size_t>((value - from) / (to - from) * static_cast<double>(bins) + 1e-9);
    ++counts[std::min(bin, bins - 1)];
  }
  return counts;
}

Html draw(const Histogram& histogram) {
  std::int64_t most = 0;
  for (const auto count : histogram.counts) most = std::max(most, count);
  if (most == 0) return nothing_to_draw(histogram.name);
  Axis x;
  Axis y;
  y.whole = true;
  // Room for the numbers above the bars.
  const auto frame =
      make_frame(normal_layout, x, {histogram.from, histogram.to}, y, {0, 1.08 * static_cast<double>(most)});
  auto content = draw_frame(frame, histogram.label, histogram.unit);
  const double width = (histogram.to - histogram.from) /
                       static_cast<double>(std::max<std::size_t>(1, histogram.counts.size()));
  const double base = frame.y.at(0);
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    const auto count = histogram.counts[i];
    if (count == 0) continue;
    const double from = histogram.from + width * static_cast<double>(i);
    const double left = frame.x.at(from);
    const double right = frame.x.at(from + width);
    const double top = frame.y.at(static_cast<double>(count));
    content += element("rect",
                       {{"x", unit_text(left + 0.75)},
                        {"y", unit_text(top)},
                        {"width", unit_text(std::max(0.5, right - left - 1.5))},
                        {"height", unit_text(base - top)},
                        {"class", "bar"}},
                       element("title", number_text(from) + " to " + number_text(from + width) + "; " +
                                            histogram.unit + ": " + std::to_string(count)));
    if (right - left > 24) {
      content += svg_text((left + right) / 2, top - 3, "middle count", std::to_string(count));
    }
  }
  return svg(frame.layout, histogram.name, content);
}

}  // namespace kindred::text
