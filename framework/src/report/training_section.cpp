#include "report/training_section.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "results/evaluation.h"
#include "text/chart.h"
#include "text/number_text.h"

namespace kindred::report {
namespace {

constexpr std::string_view loss_prefix = "loss/";
constexpr const char* parts_title = "Parts of the loss";
/// A learning rate that changes by more than this factor is drawn logarithmically.
constexpr double wide_range = 50;
/// Of a chart whose lines can be told apart.
constexpr std::size_t most_lines = 4;

text::ChartLine line_of(const std::string& name, const EpochSeries& series, double factor = 1) {
  text::ChartLine line{name, {}};
  for (const auto& [epoch, value] : series)
    line.points.push_back({static_cast<double>(epoch), factor * value});
  return line;
}

text::Axis epochs() {
  text::Axis axis;
  axis.label = "epoch";
  axis.whole = true;
  return axis;
}

/// "52.97 in epoch 1, 20.5 in epoch 25"
std::string ends_text(const EpochSeries& series) {
  const auto end = [](const EpochSeries::value_type& point) {
    return text::number_text(point.second) + " in epoch " + std::to_string(point.first);
  };
  if (series.empty()) return "";
  return series.size() == 1 ? end(*series.begin()) : end(*series.begin()) + ", " + end(*series.rbegin());
}

const EpochSeries* find(const std::map<std::string, EpochSeries>& all, const std::string& name) {
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

Html series_chart(const std::string& title, const std::string& label, const EpochSeries* series,
                  text::ScaleKind scale, bool with_zero) {
  if (series == nullptr) return {};
  text::LineChart chart;
  chart.name = title + " by epoch: " + ends_text(*series);
  chart.x = epochs();
  chart.y.label = label;
  chart.y.scale = scale;
  chart.y.with_zero = with_zero;
  chart.lines.push_back(line_of(title, *series));
  return figure(title, draw(chart), ends_text(*series) + ".");
}

text::ScaleKind learning_rate_scale(const EpochSeries* series) {
  if (series == nullptr) return text::ScaleKind::linear;
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const auto& [epoch, value] : *series) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  return least > 0 && most > wide_range * least ? text::ScaleKind::logarithmic : text::ScaleKind::linear;
}

/// What the metrics of the run say of their headline figures, where a ranking of it has been evaluated.
std::vector<FigureInfo> known_figures(const RunFiles& run) {
  std::vector<const results::Evaluation*> evaluations;
  for (const auto& stage : run.stages) {
    const auto* ranking = stage.holds<RankingFiles>();
    if (ranking != nullptr && ranking->scores.value) evaluations.push_back(&*ranking->scores.value);
  }
  return results::figures_of(evaluations, Prominence::headline);
}

/// The known figures of a training's evaluations, or else some of those that there are, taken for shares.
std::vector<FigureInfo> evaluated_figures(const std::map<std::string, EpochSeries>& evaluation,
                                          std::vector<FigureInfo> known) {
  std::erase_if(known, [&](const FigureInfo& figure) { return find(evaluation, figure.name) == nullptr; });
  if (!known.empty()) return known;
  for (const auto& [name, series] : evaluation) {
    // "best mAP" repeats what was there, "open_set/AUC" is a detail.
    if (name.starts_with("best ") || name.find('/') != std::string::npos) continue;
    if (known.size() == most_lines) break;
    known.push_back({.name = name, .label = name, .doc = ""});
  }
  return known;
}

/// @param test_set the name of the one that was evaluated, or how the chart calls it; "" for the only one
Html evaluation_chart(const std::string& test_set, const std::map<std::string, EpochSeries>& evaluation,
                      const std::vector<FigureInfo>& known) {
  const std::string on = test_set.empty() ? "" : " on " + test_set;
  text::LineChart chart;
  chart.name = "Scores" + on + " by epoch";
  chart.x = epochs();
  chart.y.label = "%";
  chart.y.with_zero = true;
  std::string caption;
  for (const auto& figure : evaluated_figures(evaluation, known)) {
    const auto& series = *find(evaluation, figure.name);
    if (series.empty() || figure.kind != FigureKind::share) continue;
    chart.lines.push_back(line_of(figure.label, series, 100));
    const auto [epoch, value] = *series.rbegin();
    const auto text = figure.label + " " + text::percent_text(value);
    caption += (caption.empty() ? "In epoch " + std::to_string(epoch) + " " : ", ") + text;
    chart.name += ", " + text + " in epoch " + std::to_string(epoch);
  }
  if (chart.lines.empty()) return {};
  return figure("Scores" + on + " during training", draw(chart), caption + ".");
}

/// A chart for each test set, the mean of several last.
Html evaluation_charts(const TrainingMetrics& metrics, const std::vector<FigureInfo>& known) {
  Html html;
  for (const auto& [name, evaluation] : metrics.evaluations) {
    if (!name.empty()) html += evaluation_chart(name, evaluation, known);
  }
  const auto all = metrics.evaluations.find("");
  if (all == metrics.evaluations.end()) return html;
  return html + evaluation_chart(html.empty() ? "" : "average", all->second, known);
}

/// "g1" of "triplet(g1)"; a part without parentheses is called what it is.
std::string output_of(const std::string& part) {
  const auto open = part.find('(');
  if (open == std::string::npos || part.back() != ')') return part;
  return part.substr(open + 1, part.size() - open - 2);
}

/// Small charts of the losses' parts: those of one kind, "triplet" of "loss/triplet(g1)", have one scale.
Html loss_parts(const std::map<std::string, EpochSeries>& figures) {
  using Part = std::pair<std::string, const EpochSeries*>;
  std::map<std::string, std::vector<Part>> kinds;
  for (const auto& [name, series] : figures) {
    if (!name.starts_with(loss_prefix)) continue;
    const auto part = name.substr(loss_prefix.size());
    kinds[part.substr(0, part.find('('))].emplace_back(part, &series);
  }
  Html html;
  for (const auto& [kind, parts] : kinds) {
    Html charts;
    double most = 0;
    double least = 0;
    for (const auto& part : parts) {
      for (const auto& [epoch, value] : *part.second) {
        if (!std::isfinite(value)) continue;
        most = std::max(most, value);
        least = std::min(least, value);
      }
    }
    for (const auto& [part, series] : parts) {
      text::LineChart chart;
      chart.name = "loss " + part + " by epoch: " + ends_text(*series);
      chart.x = epochs();
      chart.y.from = least;
      chart.y.to = most;
      chart.size = text::ChartSize::small;
      chart.lines.push_back(line_of(part, *series));
      const auto last = series->empty() ? std::string() : text::number_text(series->rbegin()->second);
      charts += element("figure", {{"class", "figure"}},
                        element("figcaption", output_of(part) + " " + element("span", last)) + draw(chart));
    }
    html += element("h5", kind) + element("div", {{"class", "small-charts"}}, charts);
  }
  if (html.empty()) return {};
  return element("p", {{"class", "note"}},
                 "Before multiplication by their weights, for each output of the head; the number is that of "
                 "the last epoch. Charts of one kind have the same scale.") +
         html;
}

/// "25 of 25 epochs, 334 images/s"
std::string summary(const TrainingMetrics& metrics, bool ended) {
  const auto last = metrics.last_epoch();
  std::string text = std::to_string(last) + " of " + std::to_string(metrics.epochs) + " epochs";
  if (!ended) text += ", not finished";
  if (metrics.images_per_second) text += ", " + text::rate_text(*metrics.images_per_second) + " images/s";
  return text;
}

Html training(const TrainingFiles& files, const std::vector<FigureInfo>& known, bool alone) {
  if (!files.metrics.there()) {
    return element("p", {{"class", "empty"}}, "No metrics: metrics.jsonl is missing.");
  }
  if (!files.metrics.value) return trouble_notice(files.metrics.trouble);
  const auto& metrics = *files.metrics.value;
  Html html;
  if (metrics.unreadable_lines > 0) {
    html += notice(std::to_string(metrics.unreadable_lines) +
                   (metrics.unreadable_lines == 1 ? " line" : " lines") +
                   " of metrics.jsonl cannot be read and ignored here.");
  }
  if (metrics.last_epoch() == 0)
    return html + element("p", {{"class", "empty"}}, "No epoch is finished yet.");
  html += element("p", {{"class", "note"}}, summary(metrics, files.model) + ".");
  const auto* rate = find(metrics.figures, "learning_rate");
  html += element("div", {{"class", "charts"}},
                  series_chart("Loss", "loss", find(metrics.figures, "loss"), text::ScaleKind::linear, true) +
                      series_chart("Learning rate", "learning rate", rate, learning_rate_scale(rate), true) +
                      evaluation_charts(metrics, known) +
                      series_chart("Gradient norm", "norm before clipping",
                                   find(metrics.figures, "gradient_norm"), text::ScaleKind::linear, true));
  const auto parts = loss_parts(metrics.figures);
  if (parts.empty()) return html;
  return html + (alone ? element("h4", parts_title) + parts : folded(parts_title, parts));
}

}  // namespace

Section training_section(const RunFiles& run) {
  Section section{"training", "Training", {}};
  const auto trainings = std::count_if(run.stages.begin(), run.stages.end(), [](const RunStage& stage) {
    return stage.holds<TrainingFiles>() != nullptr;
  });
  for (const auto& stage : run.stages) {
    const auto* files = stage.holds<TrainingFiles>();
    if (files == nullptr) continue;
    section.content += element("h3", stage.name);
    section.content += training(*files, known_figures(run), trainings == 1);
  }
  return section;
}

}  // namespace kindred::report
