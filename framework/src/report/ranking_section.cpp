#include "report/ranking_section.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "report/chart.h"
#include "text/number_text.h"

namespace kindred::report {
namespace {

constexpr std::size_t shown_images = 10;
constexpr std::size_t value_bins = 10;

/// Scores with the name under which they are shown.
struct NamedScores {
  std::string name;
  const results::Evaluation* scores;
};

std::vector<const RunStage*> ranking_stages(const RunFiles& run) {
  std::vector<const RunStage*> stages;
  for (const auto& stage : run.stages) {
    if (stage.holds<RankingFiles>() != nullptr) stages.push_back(&stage);
  }
  return stages;
}

std::vector<NamedScores> all_scores(const RunFiles& run) {
  std::vector<NamedScores> all;
  for (const auto* stage : ranking_stages(run)) {
    const auto& files = *stage->holds<RankingFiles>();
    const auto name = run.pipeline ? stage->name + ", " : std::string();
    if (files.plain_scores.value) {
      all.push_back({name + "descriptors only", &*files.plain_scores.value});
      if (files.scores.value) all.push_back({name + "after post-processing", &*files.scores.value});
    } else if (files.scores.value) {
      all.push_back({run.pipeline ? stage->name : "scores", &*files.scores.value});
    }
  }
  return all;
}

std::string value_text(FigureKind kind, double value) {
  return kind == FigureKind::share ? text::percent_text(value) : text::number_text(value);
}

/// In a column whose head says the unit.
std::string cell_text(FigureKind kind, double value) {
  if (std::isnan(value)) return "";
  return kind == FigureKind::share ? text::fixed_text(100 * value, 2) : text::number_text(value);
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

Html tiles(const NamedScores& scores) {
  Html list;
  Html cautions;
  for (const auto& [info, value, metric, caution] : scores.scores->figures) {
    if (info.prominence == Prominence::detail || std::isnan(value)) continue;
    list += element("div", element("dt", {{"title", info.doc}}, info.label) +
                               element("dd", value_text(info.kind, value) + (caution.empty() ? "" : " ?")));
    if (!caution.empty()) {
      cautions += element("p", {{"class", "note"}}, "? " + info.label + ": " + caution + ".");
    }
  }
  return element("dl", {{"class", "tiles"}}, list) + cautions;
}

/// "237 of 237 queries in 313 gallery images (50 distractors, 0 junk left out), across cameras"
std::string basis_text(const results::Evaluation& scores) {
  return text::count_text(scores.valid_queries) + " of " + text::count_text(scores.queries) + " queries in " +
         text::count_text(scores.gallery) + " gallery images (" + text::count_text(scores.distractors) +
         " distractors, " + text::count_text(scores.junk) + " junk ignored), " +
         (scores.cameras_known ? "across cameras: images from the camera of the query are ignored"
                               : "single-camera mode: images from the camera of the query count") +
         (scores.multi_query ? "; queries of one identity and camera are merged" : "") +
         (scores.note.empty() ? "" : "; " + scores.note);
}

std::string signed_text(FigureKind kind, double change) {
  if (std::isnan(change)) return "";
  return (change >= 0 ? "+" : "\u2212") + cell_text(kind, std::abs(change));
}

double value_of(const results::Evaluation& scores, const FigureInfo& figure) {
  const auto* found = scores.find(figure.name);
  return found == nullptr ? std::nan("") : found->value;
}

Html score_table(const std::vector<NamedScores>& all) {
  std::vector<const results::Evaluation*> evaluations;
  for (const auto& one : all) evaluations.push_back(one.scores);
  const auto figures = results::figures_of(evaluations, Prominence::listed);
  HtmlTable table;
  table.name = "Scores, shares in %";
  table.columns = {{"Stage"}};
  for (const auto& figure : figures) table.columns.push_back({figure.label});
  table.columns.push_back({"Queries"});
  table.columns.push_back({"Cameras", true});
  bool comparable = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& scores = *all[i].scores;
    HtmlTable::Row row{{all[i].name}, i + 1 == all.size()};
    for (const auto& figure : figures) row.cells.push_back(cell_text(figure.kind, value_of(scores, figure)));
    row.cells.push_back(text::count_text(scores.valid_queries));
    row.cells.push_back(scores.cameras_known ? "across" : "single");
    table.rows.push_back(std::move(row));
    comparable = comparable && scores.cameras_known == all[0].scores->cameras_known &&
                 scores.valid_queries == all[0].scores->valid_queries;
  }
  if (!comparable) {
    return draw(table) + notice("These scores are not comparable: queries or cameras differ.");
  }
  HtmlTable::Row change{{"from first to last"}, false};
  for (const auto& figure : figures) {
    change.cells.push_back(signed_text(
        figure.kind, value_of(*all.back().scores, figure) - value_of(*all.front().scores, figure)));
  }
  table.rows.push_back(std::move(change));
  return draw(table);
}

Html metric_table(const MetricTable& metric) {
  if (metric.columns.empty() || metric.columns.front().values.empty()) return {};
  HtmlTable table;
  table.name = metric.title + (metric.doc.empty() ? "" : ": " + metric.doc);
  for (const auto& column : metric.columns) table.columns.push_back({column.label});
  if (!metric.cautions.empty()) table.columns.push_back({"Caution", true});
  for (std::size_t row = 0; row < metric.columns.front().values.size(); ++row) {
    HtmlTable::Row cells;
    for (const auto& column : metric.columns) {
      cells.cells.push_back(value_text(column.kind, column.values[row]));
    }
    if (!metric.cautions.empty()) cells.cells.push_back(metric.cautions[row]);
    table.rows.push_back(std::move(cells));
  }
  return draw(table);
}

Html metric_chart(const Piece<MetricTable>& piece) {
  if (!piece.value) return trouble_notice(piece.trouble);
  const auto& curve = *piece.value;
  const auto column = [&](const std::string& name) -> const MetricColumn& {
    return *std::find_if(curve.columns.begin(), curve.columns.end(),
                         [&](const MetricColumn& one) { return one.name == name; });
  };
  const auto& x = column(curve.plot->x);
  const auto& y = column(curve.plot->y);
  const auto xs = axis_values(x);
  const auto ys = axis_values(y);
  ChartLine line;
  for (std::size_t i = 0; i < xs.size(); ++i) line.points.push_back({xs[i], ys[i]});
  LineChart chart;
  chart.name = curve.title + ": " + y.label + " by " + x.label;
  chart.x.label = axis_label(x);
  chart.x.scale = curve.plot->logarithmic_x ? ScaleKind::logarithmic : ScaleKind::linear;
  chart.y.label = axis_label(y);
  if (y.kind == FigureKind::share) chart.y.to = 100;
  chart.lines.push_back(std::move(line));
  return figure(curve.title, draw(chart), curve.doc.empty() ? "" : curve.doc + ".");
}

/// How the first of the metrics' values is spread over the queries.
Html value_histogram(const results::QueryTable& queries) {
  if (queries.columns.empty() || queries.columns.front().kind != FigureKind::share) return {};
  const auto& column = queries.columns.front();
  auto values = axis_values(column);
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {};
  Histogram histogram;
  histogram.name = "Histogram of the " + column.label + " of " + std::to_string(values.size()) + " queries";
  histogram.label = axis_label(column);
  histogram.unit = "queries";
  histogram.to = 100;
  histogram.counts = count_in_bins(values, 0, 100, value_bins);
  return figure(column.label + " of the queries", draw(histogram));
}

/// "AP 25.00 % · first right image at rank 2 · 1 right image in the gallery"; "" of one that was not judged.
std::string query_text(const results::QueryTable& queries, std::size_t place) {
  const auto matches = queries.queries[place].matches;
  if (matches == 0) return "";
  std::string text;
  for (const auto& column : queries.columns) {
    if (std::isnan(column.values[place])) continue;
    text += column.label + " " + value_text(column.kind, column.values[place]) + " · ";
  }
  return text + std::to_string(matches) + (matches == 1 ? " correct image" : " correct images") +
         " in the gallery";
}

/// Draws the rankings of some queries of a list.
class Sheets {
 public:
  Sheets(const RunFiles& run, const RankingFiles& files, Pictures& pictures)
      : run_(run), files_(files), pictures_(pictures) {}

  /// Judged queries: worst, middle and best.
  [[nodiscard]] Html judged(const results::QueryTable& table, const SheetSize& size) {
    const auto& by = table.columns.front();
    const auto chosen = choose_queries(by.values, size);
    const auto path_of = [&](std::size_t place) { return table.queries[place].path; };
    std::vector<std::string> paths;
    for (const auto* part : {&chosen.worst, &chosen.middle, &chosen.best}) {
      for (const auto place : *part) paths.push_back(path_of(place));
    }
    read(paths);
    Html html = trouble_notice(trouble_);
    const auto add = [&](const std::string& title, const std::vector<std::size_t>& places) {
      Html sheet;
      for (const auto place : places) sheet += draw_one(path_of(place), query_text(table, place));
      if (!sheet.empty()) html += element("h3", title) + sheet;
    };
    add("Worst queries, by " + by.label, chosen.worst);
    add("Around the median", chosen.middle);
    add("Best queries", chosen.best);
    return html;
  }

  /// Queries of which nobody knows who they are.
  [[nodiscard]] Html unjudged(const SheetSize& size) {
    const auto all = read_ranked_queries(files_.matches);
    if (!all.value) return trouble_notice(all.trouble);
    std::vector<std::string> paths;
    for (const auto place : spread(all.value->size(), size.worst + size.middle + size.best)) {
      paths.push_back((*all.value)[place]);
    }
    read(paths);
    Html sheet;
    for (const auto& path : paths) sheet += draw_one(path, "");
    if (!sheet.empty()) sheet = element("h3", "Queries, evenly sampled") + sheet;
    return trouble_notice(trouble_) + sheet;
  }

  [[nodiscard]] std::size_t drawn() const { return drawn_; }

  /// What the marks and figures of the rankings that were drawn mean.
  [[nodiscard]] Html key() const {
    Html marks;
    if (marked_) {
      marks = element("span", {{"class", "key right"}}, "\u2713 right") + " " +
              element("span", {{"class", "key wrong"}}, "\u2717 wrong") + " ";
    }
    const auto what = ignored();
    std::string left_out;
    if (what.itself) left_out += "the query itself, ";
    if (what.same_camera) left_out += "images with the identity and camera of the query, ";
    if (what.clothes == recipe::ClothesMode::changed) left_out += "its identity in the same clothes, ";
    if (what.clothes == recipe::ClothesMode::same) left_out += "its identity in other clothes, ";
    left_out += left_out.empty() ? "junk" : "and junk";
    return element("p", {{"class", "note"}},
                   marks + "Each image with its rank and similarity. Images that evaluation ignores (" +
                       left_out + ") are not shown and have no rank.");
  }

 private:
  void read(const std::vector<std::string>& paths) {
    auto piece = read_matches(files_.matches, paths);
    trouble_ = std::move(piece.trouble);
    if (!piece.value) return;
    for (auto& ranking : *piece.value) {
      auto query = ranking.query;
      rankings_.emplace(std::move(query), std::move(ranking));
    }
  }
  [[nodiscard]] Html draw_one(const std::string& path, const std::string& figures) {
    const auto ranking = rankings_.find(path);
    if (ranking == rankings_.end() || ranking->second.found.empty()) return {};
    ++drawn_;
    const auto verdicts = judge_ranking(ranking->second, run_.images, ignored(), shown_images);
    marked_ = marked_ || std::any_of(verdicts.images.begin(), verdicts.images.end(),
                                     [](const auto& image) { return image.verdict != Verdict::unknown; });
    return draw_ranking(ranking->second, verdicts, figures, run_.images, pictures_);
  }
  [[nodiscard]] IgnoredImages ignored() const {
    if (!files_.scores.value) return {};
    const auto& scores = *files_.scores.value;
    return {scores.cameras_known, scores.itself_ignored, scores.clothes};
  }

  const RunFiles& run_;
  const RankingFiles& files_;
  Pictures& pictures_;
  std::map<std::string, results::QueryMatches> rankings_;
  std::string trouble_;
  std::size_t drawn_ = 0;
  bool marked_ = false;  // an image was told to be right or wrong
};

}  // namespace

Section score_section(const RunFiles& run) {
  Section section{"scores", "Scores", {}};
  for (const auto* stage : ranking_stages(run)) {
    const auto& files = *stage->holds<RankingFiles>();
    section.content += trouble_notice(files.scores.trouble) + trouble_notice(files.plain_scores.trouble);
  }
  const auto all = all_scores(run);
  if (all.empty()) {
    section.content += element("p", {{"class", "empty"}},
                               "No scores: nothing has been evaluated, or the queries are unlabeled.");
    return section;
  }
  section.content += tiles(all.back());
  section.content += element(
      "p", {{"class", "note"}},
      (all.size() > 1 ? all.back().name + ": " : std::string()) + basis_text(*all.back().scores) + ".");
  if (all.size() > 1) section.content += score_table(all);
  return section;
}

Section ranking_section(const RunFiles& run, const SheetSize& size, Pictures& pictures,
                        std::size_t& rankings) {
  Section section{"rankings", "Rankings", {}};
  const RunStage* last = nullptr;
  for (const auto* stage : ranking_stages(run)) {
    const auto& files = *stage->holds<RankingFiles>();
    std::error_code failure;
    if (files.queries.there() || !files.curves.empty() || std::filesystem::exists(files.matches, failure)) {
      last = stage;
    }
  }
  if (last == nullptr) return section;
  const auto& files = *last->holds<RankingFiles>();
  if (run.pipeline) {
    section.content += element("p", {{"class", "note"}}, "Of stage " + last->name + ".");
  }
  Html charts;
  for (const auto& curve : files.curves) charts += metric_chart(curve);
  if (files.queries.value) charts += value_histogram(*files.queries.value);
  if (files.scores.value) {
    for (const auto& table : files.scores.value->tables) {
      if (!table.plot) charts += metric_table(table);
    }
  }
  if (!charts.empty()) section.content += element("div", {{"class", "charts"}}, charts);
  section.content += trouble_notice(files.queries.trouble);
  for (const auto& trouble : run.image_troubles) section.content += trouble_notice(trouble);
  if (files.scores.value && files.scores.value->multi_query) {
    section.content += notice(
        "The scores are of merged queries (same identity and camera); the rankings are only of the first "
        "image of each.");
  }
  Sheets sheets(run, files, pictures);
  const bool judged = files.queries.value && !files.queries.value->columns.empty();
  const auto drawn = judged ? sheets.judged(*files.queries.value, size) : sheets.unjudged(size);
  rankings = sheets.drawn();
  if (rankings > 0) section.content += sheets.key();
  section.content += drawn;
  return section;
}

}  // namespace kindred::report
