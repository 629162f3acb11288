#include "report/ranking_section.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/chart.h"
#include "report/number_text.h"

namespace kindred::report {
namespace {

constexpr std::size_t shown_images = 10;
constexpr std::size_t ap_bins = 10;

/// Scores with the name under which they are shown.
struct NamedScores {
  std::string name;
  const ScoreFigures* figures;
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

std::string map_name(const ScoreFigures& figures) {
  const double depth = figures.map_depth.value_or(0);
  return depth > 0 ? "mAP@" + number_text(depth) : "mAP";
}

using Figure = std::pair<std::string, std::optional<double>>;

std::vector<Figure> figures_of(const ScoreFigures& scores) {
  return {{map_name(scores), scores.mean_ap}, {"Rank-1", scores.rank1},  {"Rank-5", scores.rank5},
          {"Rank-10", scores.rank10},         {"mINP", scores.mean_inp}, {"Score", scores.score}};
}

Html tiles(const NamedScores& scores) {
  Html list;
  for (const auto& [name, value] : figures_of(*scores.figures)) {
    if (!value) continue;
    list += element("div", element("dt", name) + element("dd", percent_text(*value)));
  }
  return element("dl", {{"class", "tiles"}}, list);
}

std::string count_text(std::optional<double> count) {
  return count ? number_text(*count) : "?";
}

/// "237 of 237 queries in 313 gallery images (50 distractors, 0 junk left out), across cameras"
std::string basis_text(const ScoreFigures& scores) {
  return count_text(scores.valid_queries) + " of " + count_text(scores.queries) + " queries in " +
         count_text(scores.gallery) + " gallery images (" + count_text(scores.distractors) +
         " distractors, " + count_text(scores.junk) + " junk ignored), " +
         (scores.cameras_known ? "across cameras: images from the camera of the query are ignored"
                               : "single-camera mode: images from the camera of the query count") +
         (scores.multi_query ? "; queries of one identity and camera are merged" : "") +
         (scores.note.empty() ? "" : "; " + scores.note);
}

std::string signed_text(double change) {
  return (change >= 0 ? "+" : "\u2212") + fixed_text(std::abs(change), 2);
}

Html score_table(const std::vector<NamedScores>& all) {
  HtmlTable table;
  table.name = "Scores in %";
  table.columns = {{"Stage"}};
  for (const auto& figure : figures_of(*all.back().figures)) table.columns.push_back({figure.first});
  table.columns.push_back({"Queries"});
  table.columns.push_back({"Cameras", true});
  bool comparable = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& scores = *all[i].figures;
    HtmlTable::Row row{{all[i].name}, i + 1 == all.size()};
    for (const auto& figure : figures_of(scores)) {
      row.cells.push_back(figure.second ? fixed_text(100 * *figure.second, 2) : "");
    }
    row.cells.push_back(count_text(scores.valid_queries));
    row.cells.push_back(scores.cameras_known ? "across" : "single");
    table.rows.push_back(std::move(row));
    comparable = comparable && scores.cameras_known == all[0].figures->cameras_known &&
                 map_name(scores) == map_name(*all[0].figures) &&
                 scores.valid_queries == all[0].figures->valid_queries;
  }
  if (!comparable) {
    return draw(table) + notice("These scores are not comparable: queries, cameras or depth of mAP differ.");
  }
  HtmlTable::Row change{{"from first to last"}, false};
  const auto first = figures_of(*all.front().figures);
  const auto last = figures_of(*all.back().figures);
  for (std::size_t i = 0; i < first.size(); ++i) {
    const bool both = first[i].second && last[i].second;
    change.cells.push_back(both ? signed_text(100 * (*last[i].second - *first[i].second)) : "");
  }
  table.rows.push_back(std::move(change));
  return draw(table);
}

Html threshold_table(const ScoreFigures& scores) {
  if (scores.thresholds.empty()) return {};
  HtmlTable table;
  table.name = "Same person or not: thresholds";
  table.columns = {{"False positives"}, {"True positives"}, {"Distance below"}, {"Similarity above"}};
  for (const auto& threshold : scores.thresholds) {
    table.rows.push_back(
        {{percent_text(threshold.false_positive_rate), percent_text(threshold.true_positive_rate),
          number_text(threshold.distance), threshold.similarity ? number_text(*threshold.similarity) : ""},
         false});
  }
  return draw(table);
}

Html roc_chart(const RankingFiles& files) {
  if (!files.roc.there()) return {};
  if (!files.roc.value) return trouble_notice(files.roc.trouble);
  ChartLine line;
  for (const auto& point : *files.roc.value) {
    line.points.push_back({100 * point.false_positive_rate, 100 * point.true_positive_rate});
  }
  LineChart chart;
  chart.name = "ROC curve: true positives against false positives among pairs of a query and a gallery image";
  chart.x.label = "false positives in %";
  chart.x.scale = ScaleKind::logarithmic;
  chart.y.label = "true positives in %";
  chart.y.from = 0;
  chart.y.to = 100;
  chart.lines.push_back(std::move(line));
  std::string caption =
      "Share of pairs of the same person found, by the share of pairs of different people accepted";
  if (files.scores.value && files.scores.value->area) {
    caption += "; area under the curve " + fixed_text(*files.scores.value->area, 4);
  }
  return figure("Same person or not", draw(chart), caption + ".");
}

Html ap_histogram(const std::vector<JudgedQuery>& queries) {
  std::vector<double> values;
  for (const auto& query : queries) {
    if (query.ap) values.push_back(100 * *query.ap);
  }
  if (values.empty()) return {};
  Histogram histogram;
  histogram.name = "Histogram of the average precision of " + std::to_string(values.size()) + " queries";
  histogram.label = "AP in %";
  histogram.unit = "queries";
  histogram.to = 100;
  histogram.counts = count_in_bins(values, 0, 100, ap_bins);
  return figure("AP of the queries", draw(histogram),
                "Average precision (AP) of each query; mAP is the mean.");
}

/// Draws the rankings of some queries of a list.
class Sheets {
 public:
  Sheets(const RunFiles& run, const RankingFiles& files, Pictures& pictures)
      : run_(run), files_(files), pictures_(pictures) {}

  /// Judged queries: worst, middle and best.
  [[nodiscard]] Html judged(const std::vector<JudgedQuery>& queries, const SheetSize& size) {
    const auto chosen = choose_queries(queries, size);
    std::vector<std::string> paths;
    for (const auto* part : {&chosen.worst, &chosen.middle, &chosen.best}) {
      for (const auto place : *part) paths.push_back(queries[place].path);
    }
    read(paths);
    Html html = trouble_notice(trouble_);
    const auto add = [&](const std::string& title, const std::vector<std::size_t>& places) {
      Html sheet;
      for (const auto place : places) sheet += draw_one(queries[place].path, &queries[place]);
      if (!sheet.empty()) html += element("h3", title) + sheet;
    };
    add("Worst queries, by AP", chosen.worst);
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
    for (const auto& path : paths) sheet += draw_one(path, nullptr);
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
    const std::string left_out =
        cameras_known() ? "images with the identity and camera of the query, and junk" : "junk";
    return element("p", {{"class", "note"}},
                   marks + "Each image with its rank and similarity. Images that evaluation ignores (" +
                       left_out + ") are not shown and have no rank.");
  }

 private:
  void read(const std::vector<std::string>& paths) {
    auto piece = read_rankings(files_.matches, paths);
    trouble_ = std::move(piece.trouble);
    if (!piece.value) return;
    for (auto& ranking : *piece.value) {
      auto query = ranking.query;
      rankings_.emplace(std::move(query), std::move(ranking));
    }
  }
  [[nodiscard]] Html draw_one(const std::string& path, const JudgedQuery* judged) {
    const auto ranking = rankings_.find(path);
    if (ranking == rankings_.end() || ranking->second.found.empty()) return {};
    ++drawn_;
    const auto verdicts = judge_ranking(ranking->second, run_.images, cameras_known(), shown_images);
    marked_ = marked_ || std::any_of(verdicts.images.begin(), verdicts.images.end(),
                                     [](const auto& image) { return image.verdict != Verdict::unknown; });
    return draw_ranking(ranking->second, verdicts, judged, run_.images, pictures_);
  }
  [[nodiscard]] bool cameras_known() const {
    return files_.scores.value && files_.scores.value->cameras_known;
  }

  const RunFiles& run_;
  const RankingFiles& files_;
  Pictures& pictures_;
  std::map<std::string, QueryRanking> rankings_;
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
  section.content += element("p", {{"class", "note"}},
                             (all.size() > 1 ? all.back().name + ": " : std::string()) +
                                 basis_text(*all.back().figures) + ". Score is (mAP + Rank-1) / 2.");
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
    if (files.queries.there() || files.roc.there() || std::filesystem::exists(files.matches, failure)) {
      last = stage;
    }
  }
  if (last == nullptr) return section;
  const auto& files = *last->holds<RankingFiles>();
  if (run.pipeline) {
    section.content += element("p", {{"class", "note"}}, "Of stage " + last->name + ".");
  }
  Html charts = roc_chart(files);
  if (files.queries.value) charts += ap_histogram(*files.queries.value);
  if (files.scores.value) charts += threshold_table(*files.scores.value);
  if (!charts.empty()) section.content += element("div", {{"class", "charts"}}, charts);
  section.content += trouble_notice(files.queries.trouble);
  for (const auto& trouble : run.image_troubles) section.content += trouble_notice(trouble);
  if (files.scores.value && files.scores.value->multi_query) {
    section.content += notice(
        "The scores are of merged queries (same identity and camera); the rankings are only of the first "
        "image of each.");
  }
  Sheets sheets(run, files, pictures);
  const bool judged =
      files.queries.value && std::any_of(files.queries.value->begin(), files.queries.value->end(),
                                         [](const JudgedQuery& query) { return query.ap.has_value(); });
  const auto drawn = judged ? sheets.judged(*files.queries.value, size) : sheets.unjudged(size);
  rankings = sheets.drawn();
  if (rankings > 0) section.content += sheets.key();
  section.content += drawn;
  return section;
}

}  // namespace kindred::report
