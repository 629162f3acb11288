#include "text/chart.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "markup_check.h"

namespace kindred::test {
using namespace kindred::text;  // NOLINT
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<std::string> texts(const Scale& scale, int wanted) {
  std::vector<std::string> all;
  for (const auto& tick : scale.ticks(wanted)) all.push_back(tick.text);
  return all;
}

LineChart chart_of(std::vector<ChartPoint> points) {
  LineChart chart;
  chart.name = "loss by epoch";
  chart.x.label = "epoch";
  chart.y.label = "loss";
  chart.lines.push_back({"loss", std::move(points)});
  return chart;
}

/// The points of the first polyline: "x,y x,y".
std::string polyline(const std::string& markup) {
  const std::string begin = "<polyline points=\"";
  const auto from = markup.find(begin);
  if (from == std::string::npos) return "";
  return markup.substr(from + begin.size(), markup.find('"', from + begin.size()) - from - begin.size());
}

TEST_CASE("a scale puts values in their places") {
  const Scale linear(ScaleKind::linear, 10, 20, 100, 300);
  CHECK(linear.at(10) == doctest::Approx(100));
  CHECK(linear.at(12.5) == doctest::Approx(150));
  CHECK(linear.at(20) == doctest::Approx(300));
  const Scale upwards(ScaleKind::linear, 0, 1, 200, 20);
  CHECK(upwards.at(0.25) == doctest::Approx(155));
  const Scale logarithmic(ScaleKind::logarithmic, 0.001, 10, 0, 400);
  CHECK(logarithmic.at(0.01) == doctest::Approx(100));
  CHECK(logarithmic.at(1) == doctest::Approx(300));
}

TEST_CASE("a single value stands in the middle of its scale") {
  for (const double value : {5.0, 0.0, -3.0, 1e-7, 123456789.0}) {
    CAPTURE(value);
    CHECK(Scale(ScaleKind::linear, value, value, 0, 100).at(value) == doctest::Approx(50));
  }
  const Scale logarithmic(ScaleKind::logarithmic, 0.01, 0.01, 0, 100);
  CHECK(logarithmic.from() > 0);
  CHECK(logarithmic.at(0.01) > 0);
  CHECK(logarithmic.at(0.01) < 100);
}

TEST_CASE("a scale that cannot be is a broken promise") {
  CHECK_THROWS_AS(Scale(ScaleKind::linear, 2, 1, 0, 1), std::logic_error);
  CHECK_THROWS_AS(Scale(ScaleKind::linear, nan, 1, 0, 1), std::logic_error);
  CHECK_THROWS_AS(Scale(ScaleKind::linear, 0, infinity, 0, 1), std::logic_error);
  CHECK_THROWS_AS(Scale(ScaleKind::logarithmic, 0, 1, 0, 1), std::logic_error);
}

TEST_CASE("ticks are round numbers with as many digits as tell them apart") {
  using Texts = std::vector<std::string>;
  CHECK(texts(Scale(ScaleKind::linear, 0, 52.97, 0, 1), 5) == Texts{"0", "10", "20", "30", "40", "50"});
  CHECK(texts(Scale(ScaleKind::linear, 0, 1, 0, 1), 5) == Texts{"0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(texts(Scale(ScaleKind::linear, -1, 1, 0, 1), 4) == Texts{"-1.0", "-0.5", "0", "0.5", "1.0"});
  CHECK(texts(Scale(ScaleKind::linear, 0, 2e-5, 0, 1), 2) == Texts{"0", "1e-5", "2e-5"});
  CHECK(texts(Scale(ScaleKind::linear, 0, 3e6, 0, 1), 3) ==
        Texts{"0", "1,000,000", "2,000,000", "3,000,000"});
  CHECK(texts(Scale(ScaleKind::linear, 14.28571, 14.28599, 0, 1), 5) ==
        Texts{"14.28575", "14.28580", "14.28585", "14.28590", "14.28595"});
  CHECK(texts(Scale(ScaleKind::linear, 1e6, 1e6 + 2, 0, 1), 4) ==
        Texts{"1000000.0", "1000000.5", "1000001.0", "1000001.5", "1000002.0"});
  CHECK(texts(Scale(ScaleKind::linear, 1e6, 1e6 + 2, 0, 1), 2) ==
        Texts{"1,000,000", "1,000,001", "1,000,002"});
  CHECK(texts(Scale(ScaleKind::logarithmic, 1e-5, 1e-3, 0, 1), 5) == Texts{"1e-5", "0.0001", "0.001"});
  CHECK(texts(Scale(ScaleKind::logarithmic, 1e-4, 8e-4, 0, 1), 5) == Texts{"0.0001", "0.0002", "0.0005"});
  CHECK(texts(Scale(ScaleKind::logarithmic, 3, 4, 0, 1), 2) == Texts{"3.0", "3.5", "4.0"});
}

TEST_CASE("every tick lies within its scale") {
  for (const double from : {-7.3, 0.0, 1e-9, 0.33, 1e5}) {
    for (const double width : {1e-8, 0.7, 3.0, 1e4, 1e12}) {
      const Scale scale(ScaleKind::linear, from, from + width, 0, 1);
      const auto ticks = scale.ticks(5);
      CAPTURE(from);
      CAPTURE(width);
      CHECK(ticks.size() >= 2);
      CHECK(ticks.size() <= 12);
      for (const auto& tick : ticks) {
        CHECK(scale.at(tick.value) >= -1e-5);
        CHECK(scale.at(tick.value) <= 1 + 1e-5);
      }
    }
  }
}

TEST_CASE("points of a line lie where the axes say") {
  auto chart = chart_of({{0, 0}, {5, 25}, {10, 100}});
  chart.y.from = 0;
  chart.y.to = 100;
  const auto markup = draw(chart).markup();
  CHECK(markup_error(markup).empty());
  // The plot is from the left margin (8 and three digits of 0.6 x 11.5) to 366, and from 202 up to 28.
  const double left = 8 + 3 * 0.6 * 11.5;
  const double middle = (left + 366) / 2;
  char expected[64];
  std::snprintf(expected, sizeof expected, "%.1f,202 %.2f,158.5 366,28", left, middle);
  CHECK(polyline(markup) == expected);
  CHECK(markup.find("<title>epoch 5: 25</title>") != std::string::npos);
  CHECK(markup.find("aria-label=\"loss by epoch\"") != std::string::npos);
}

TEST_CASE("a line has a gap where a figure is not finite") {
  const auto markup =
      draw(chart_of({{1, 5}, {2, 4}, {3, nan}, {4, 3}, {5, 2}, {6, infinity}, {7, 1}})).markup();
  CHECK(markup_error(markup).empty());
  CHECK(count_of(markup, "<polyline") == 2);
  CHECK(count_of(polyline(markup), ",") == 2);
  CHECK(count_of(markup, "nan") == 0);
  CHECK(count_of(markup, "r=\"2.5\"") == 1);  // the point between two gaps
}

TEST_CASE("a single epoch is a dot, and a constant series a line") {
  const auto one = draw(chart_of({{1, 42.5}})).markup();
  CHECK(markup_error(one).empty());
  CHECK(count_of(one, "<polyline") == 0);
  CHECK(count_of(one, "r=\"2.5\"") == 1);
  const auto constant = draw(chart_of({{1, 3}, {2, 3}, {3, 3}})).markup();
  CHECK(markup_error(constant).empty());
  CHECK(count_of(polyline(constant), ",115 ") == 2);  // half way between 28 and 202
  CHECK(count_of(constant, "nan") + count_of(constant, "inf") == 0);
}

TEST_CASE("without a point that can be drawn a chart says so") {
  for (const auto& points :
       std::vector<std::vector<ChartPoint>>{{}, {{1, nan}}, {{1, 1e200}, {2, -infinity}}}) {
    const auto markup = draw(chart_of(points)).markup();
    CHECK(count_of(markup, "<svg") == 0);
    CHECK(markup.find("Nothing to draw for loss by epoch") != std::string::npos);
  }
  auto chart = chart_of({{1, 0}, {2, -1}});
  chart.y.scale = ScaleKind::logarithmic;
  CHECK(count_of(draw(chart).markup(), "<svg") == 0);
}

TEST_CASE("an axis with zero has it, unless it is logarithmic") {
  auto chart = chart_of({{1, 40}, {2, 50}});
  chart.y.with_zero = true;
  CHECK(draw(chart).markup().find(">0</text>") != std::string::npos);
  chart.y.scale = ScaleKind::logarithmic;
  CHECK(count_of(draw(chart).markup(), "<polyline") == 1);
}

TEST_CASE("an axis of whole numbers has no ticks between them") {
  auto chart = chart_of({{1, 10}, {2, 20}});
  const auto fractions = draw(chart).markup();
  CHECK(fractions.find(">1.2</text>") != std::string::npos);
  chart.x.whole = true;
  const auto markup = draw(chart).markup();
  CHECK(markup.find(">1</text>") != std::string::npos);
  CHECK(markup.find(">2</text>") != std::string::npos);
  CHECK(markup.find(">1.2</text>") == std::string::npos);
}

TEST_CASE("several lines have a legend and styles of their own") {
  auto chart = chart_of({{1, 1}, {2, 2}});
  CHECK(draw(chart).markup().find("legend") == std::string::npos);
  chart.lines.push_back({"a <b>", {{1, 2}, {2, 1}}});
  const auto markup = draw(chart).markup();
  CHECK(markup_error("<p>" + markup + "</p>").empty());
  CHECK(markup.find("a &lt;b&gt;</li>") != std::string::npos);
  CHECK(markup.find("line s0") != std::string::npos);
  CHECK(markup.find("line s1") != std::string::npos);
}

TEST_CASE("a curve of very many points is thinned to what can be seen") {
  std::vector<ChartPoint> points;
  for (int i = 0; i <= 100'000; ++i) points.push_back({i / 1e5, std::sqrt(i / 1e5)});
  const auto markup = draw(chart_of(points)).markup();
  CHECK(count_of(polyline(markup), ",") < 2500);
  CHECK(polyline(markup).ends_with("366,28"));
  CHECK(count_of(markup, "<title>") == 0);
}

TEST_CASE("bins count what lies in them, the upper end in the last") {
  using Counts = std::vector<std::int64_t>;
  CHECK(count_in_bins({0, 0.1, 0.3, 0.5, 1, 1}, 0, 1, 10) == Counts{1, 1, 0, 1, 0, 1, 0, 0, 0, 2});
  CHECK(count_in_bins({-0.1, 1.1, nan, infinity}, 0, 1, 2) == Counts{0, 0});
  CHECK(count_in_bins({}, 0, 1, 3) == Counts{0, 0, 0});
  // 0.3 / 0.1 is 2.9999999999999996
  CHECK(count_in_bins({0.3}, 0, 1, 10)[3] == 1);
}

TEST_CASE("a histogram has a bar of the right height for each bin that is not empty") {
  Histogram histogram;
  histogram.name = "AP";
  histogram.label = "AP";
  histogram.unit = "queries";
  histogram.counts = {2, 0, 4};
  const auto markup = draw(histogram).markup();
  CHECK(markup_error(markup).empty());
  CHECK(count_of(markup, "<rect") == 2);
  // 4 of 1.08 x 4 is 161.11 of the 174 units between 28 and 202.
  CHECK(markup.find("height=\"161.11\"") != std::string::npos);
  CHECK(markup.find("height=\"80.56\"") != std::string::npos);
  CHECK(markup.find("; queries: 4</title>") != std::string::npos);
  histogram.counts = {0, 0};
  CHECK(count_of(draw(histogram).markup(), "<svg") == 0);
}

TEST_CASE("a chart as a file of its own has its colors and its name, also with nothing to draw") {
  const auto picture = svg_document(chart_of({{1, 2}, {2, 4}}));
  CHECK(markup_error(picture) == "");
  CHECK(picture.find("<title>loss by epoch</title>") != std::string::npos);
  CHECK(picture.find("stroke: #245a8d") != std::string::npos);
  CHECK(picture.find("var(") == std::string::npos);
  CHECK(count_of(picture, "<polyline") == 1);
  const auto empty = svg_document(chart_of({{1, nan}}));
  CHECK(markup_error(empty) == "");
  CHECK(empty.find("Nothing to draw") != std::string::npos);
}

}  // namespace
}  // namespace kindred::test
