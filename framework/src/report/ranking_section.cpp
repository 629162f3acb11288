#include "report/ranking_section.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "report/ranking_drawer.h"
#include "report/score_blocks.h"
#include "results/curve_chart.h"
#include "text/chart.h"
#include "text/number_text.h"

namespace kindred::report {
namespace {

constexpr std::size_t value_bins = 10;
/// More cameras than these are no table that could be read; the worst pairs are listed then.
constexpr std::size_t most_cameras = 16;
constexpr std::size_t listed_pairs = 30;
/// Fewer queries say little of a pair.
constexpr std::int64_t few_queries = 20;

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
  for (const auto& reason : results::reasons_without_value(*scores.scores)) {
    cautions += element("p", {{"class", "note"}}, "? " + reason + ".");
  }
  return element("dl", {{"class", "tiles"}}, list) + cautions;
}

Html score_table(const std::vector<NamedScores>& all) {
  std::vector<const results::Evaluation*> evaluations;
  for (const auto& one : all) evaluations.push_back(one.scores);
  const auto figures = results::figures_of(evaluations, Prominence::listed);
  HtmlTable table;
  table.name = "Scores, shares in %, and the change of each step";
  table.columns = {{"Stage"}};
  for (const auto& figure : figures) table.columns.push_back({figure.label});
  table.columns.push_back({"Queries"});
  table.columns.push_back({"Cameras", true});
  const auto finals = final_scores(all);
  Html losses;
  bool all_comparable = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& scores = *all[i].scores;
    HtmlTable::Row row{{all[i].name}, std::find(finals.begin(), finals.end(), i) != finals.end()};
    for (const auto& figure : figures) row.cells.push_back(cell_text(figure.kind, scores.value(figure.name)));
    row.cells.push_back(text::count_text(scores.valid_queries));
    row.cells.push_back(scores.cameras_known ? "across" : "single");
    table.rows.push_back(std::move(row));
    all_comparable = all_comparable && results::comparable(*all.front().scores, scores);
    if (!all[i].base) continue;
    const auto& base = *all[*all[i].base].scores;
    if (!results::comparable(base, scores)) continue;
    HtmlTable::Row change{{"change: " + all[i].step}, false};
    for (const auto& figure : figures) {
      change.cells.push_back(change_cell(figure, base.value(figure.name), scores.value(figure.name)));
    }
    table.rows.push_back(std::move(change));
    if (const auto lost = losses_text(base, scores); !lost.empty()) {
      losses += element("li", element("strong", all[i].name) + ", " + all[i].step + ": " + lost);
    }
  }
  auto html = draw(table);
  if (!losses.empty()) html += notice("Steps that made figures worse:") + element("ul", losses);
  if (!all_comparable) {
    html +=
        notice("Some of these scores are not comparable: queries, gallery or settings of [evaluate] differ.");
  }
  return html;
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
  return figure(curve.title, draw(results::curve_chart(curve)), curve.doc.empty() ? "" : curve.doc + ".");
}

/// How the first of the metrics' values is spread over the queries.
Html value_histogram(const results::QueryTable& queries) {
  if (queries.columns.empty() || queries.columns.front().kind != FigureKind::share) return {};
  const auto& column = queries.columns.front();
  auto values = results::axis_values(column);
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {};
  text::Histogram histogram;
  histogram.name = "Histogram of the " + column.label + " of " + std::to_string(values.size()) + " queries";
  histogram.label = results::axis_label(column);
  histogram.unit = "queries";
  histogram.to = 100;
  histogram.counts = text::count_in_bins(values, 0, 100, value_bins);
  return figure(column.label + " of the queries", draw(histogram));
}

using Part = results::PartScores::Part;

/// A value, the stronger in color the larger its share, with the queries it comes from.
Html shaded_cell(const FigureInfo& figure, double value, std::int64_t queries) {
  if (std::isnan(value)) return {};
  Html::Attributes attributes{{"class", queries < few_queries ? "shade few" : "shade"},
                              {"title", text::count_text(queries) + (queries == 1 ? " query" : " queries")}};
  if (figure.kind == FigureKind::share) {
    attributes.emplace_back("style", "--share:" + text::fixed_text(100 * value, 0) + "%");
  }
  return element("span", attributes, cell_text(figure.kind, value));
}

/// Cameras of queries by cameras of the gallery.
Html camera_table(const results::PartScores& parts, std::size_t which) {
  const auto& figure = parts.figures[which];
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  const auto add = [](std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const auto& part : parts.camera_pairs) {
    add(rows, part.query);
    add(columns, part.gallery);
  }
  std::sort(columns.begin(), columns.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;  // they are whole numbers
  });
  HtmlTable table;
  table.name = figure.label + " by cameras" + (figure.kind == FigureKind::share ? ", in %" : "");
  table.columns = {{"Query camera"}};
  for (const auto& column : columns) table.columns.push_back({"gallery " + column});
  for (const auto& name : rows) {
    HtmlTable::Row row{{"camera " + name}, false};
    for (const auto& column : columns) {
      const auto part =
          std::find_if(parts.camera_pairs.begin(), parts.camera_pairs.end(),
                       [&](const Part& one) { return one.query == name && one.gallery == column; });
      row.cells.push_back(part == parts.camera_pairs.end()
                              ? Html()
                              : shaded_cell(figure, part->values[which], part->queries));
    }
    table.rows.push_back(std::move(row));
  }
  return draw(table);
}

/// The pairs with the worst values of the first figure.
Html worst_pairs(const results::PartScores& parts) {
  std::vector<const Part*> pairs;
  for (const auto& part : parts.camera_pairs) pairs.push_back(&part);
  const bool higher = parts.figures.front().higher_is_better;
  std::stable_sort(pairs.begin(), pairs.end(), [&](const Part* a, const Part* b) {
    const double one = a->values.front();
    const double two = b->values.front();
    // Values that are not there come last.
    if (std::isnan(one) || std::isnan(two)) return !std::isnan(one) && std::isnan(two);
    return higher ? one < two : one > two;
  });
  pairs.resize(std::min(pairs.size(), listed_pairs));
  HtmlTable table;
  table.name = "The " + std::to_string(pairs.size()) + " worst of " +
               std::to_string(parts.camera_pairs.size()) + " pairs of cameras, by " +
               parts.figures.front().label + ", shares in %";
  table.columns = {{"Query camera"}, {"Gallery camera"}, {"Queries"}};
  for (const auto& one : parts.figures) table.columns.push_back({one.label});
  for (const auto* part : pairs) {
    HtmlTable::Row row{{part->query, part->gallery, text::count_text(part->queries)}, false};
    for (std::size_t i = 0; i < parts.figures.size(); ++i) {
      row.cells.push_back(shaded_cell(parts.figures[i], part->values[i], part->queries));
    }
    table.rows.push_back(std::move(row));
  }
  return draw(table);
}

Html domain_table(const results::PartScores& parts) {
  HtmlTable table;
  table.name = "Queries of each domain in the whole gallery, shares in %";
  table.columns = {{"Domain"}, {"Queries"}};
  for (const auto& figure : parts.figures) table.columns.push_back({figure.label});
  for (const auto& part : parts.domains) {
    HtmlTable::Row row{{part.query, text::count_text(part.queries)}, false};
    for (std::size_t i = 0; i < parts.figures.size(); ++i) {
      row.cells.push_back(shaded_cell(parts.figures[i], part.values[i], part.queries));
    }
    table.rows.push_back(std::move(row));
  }
  return draw(table);
}

/// Queries that were judged: worst, middle and best.
Html judged_rankings(const results::QueryTable& table, const SheetSize& size, RankingDrawer& drawer) {
  const auto& by = table.columns.front();
  const auto chosen = choose_queries(by.values, size);
  const auto path_of = [&](std::size_t place) { return table.queries[place].path; };
  std::vector<std::string> paths;
  for (const auto* part : {&chosen.worst, &chosen.middle, &chosen.best}) {
    for (const auto place : *part) paths.push_back(path_of(place));
  }
  Html html = trouble_notice(drawer.read(paths));
  const auto add = [&](const std::string& title, const std::vector<std::size_t>& places) {
    Html sheet;
    for (const auto place : places) sheet += drawer.draw(path_of(place), query_text(table, place));
    if (!sheet.empty()) html += element("h3", title) + sheet;
  };
  add("Worst queries, by " + by.label, chosen.worst);
  add("Around the median", chosen.middle);
  add("Best queries", chosen.best);
  return html;
}

/// Queries of which nobody knows who they are.
Html unjudged_rankings(const RankingFiles& files, const SheetSize& size, RankingDrawer& drawer) {
  const auto all = read_ranked_queries(files.matches);
  if (!all.value) return trouble_notice(all.trouble);
  std::vector<std::string> paths;
  for (const auto place : spread(all.value->size(), size.worst + size.middle + size.best)) {
    paths.push_back((*all.value)[place]);
  }
  const auto trouble = drawer.read(paths);
  Html sheet;
  for (const auto& path : paths) sheet += drawer.draw(path, "");
  if (!sheet.empty()) sheet = element("h3", "Queries, evenly sampled") + sheet;
  return trouble_notice(trouble) + sheet;
}

}  // namespace

std::vector<NamedScores> all_scores(const RunFiles& run) {
  struct Before {
    std::size_t place;  // of the scores by the descriptors
    std::string stage;
  };
  std::vector<NamedScores> all;
  std::map<std::string, Before> before;  // by the images
  for (const auto* stage : run.rankings()) {
    const auto& files = *stage->holds<RankingFiles>();
    const auto* plain = files.plain_scores.value ? &*files.plain_scores.value : nullptr;
    const auto* scores = files.scores.value ? &*files.scores.value : nullptr;
    if (plain == nullptr && scores == nullptr) continue;
    const auto first = all.size();
    all.push_back({.name = plain != nullptr ? stage->name + ", descriptors only" : stage->name,
                   .scores = plain != nullptr ? plain : scores});
    auto& last = before[all.back().scores->images_sha256];
    if (!last.stage.empty()) {
      all.back().base = last.place;
      all.back().step = "from " + last.stage + " to " + stage->name;
    }
    last = {first, stage->name};
    if (plain != nullptr && scores != nullptr) {
      all.push_back({stage->name + ", after post-processing", scores, first, "by post-processing", true});
    }
  }
  return all;
}

std::vector<std::size_t> final_scores(const std::vector<NamedScores>& all) {
  std::vector<std::size_t> last;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::erase_if(last, [&](std::size_t place) {
      return all[place].scores->images_sha256 == all[i].scores->images_sha256;
    });
    last.push_back(i);
  }
  return last;
}

Section score_section(const RunFiles& run) {
  Section section{"scores", "Scores", {}};
  for (const auto* stage : run.rankings()) {
    const auto& files = *stage->holds<RankingFiles>();
    section.content += trouble_notice(files.scores.trouble) + trouble_notice(files.plain_scores.trouble);
  }
  const auto all = all_scores(run);
  if (all.empty()) {
    section.content += element("p", {{"class", "empty"}},
                               "No scores: nothing has been evaluated, or the queries are unlabeled.");
    return section;
  }
  for (const auto place : final_scores(all)) {
    const auto& scores = all[place];
    section.content += tiles(scores);
    section.content +=
        element("p", {{"class", "note"}},
                (all.size() > 1 ? scores.name + ": " : std::string()) + basis_text(*scores.scores) + ".");
  }
  if (all.size() > 1) section.content += score_table(all);
  return section;
}

Section part_section(const RunFiles& run) {
  Section section{"parts", "Cameras and domains", {}};
  const auto* last = last_ranking(run);
  if (last == nullptr) return section;
  const auto& files = *last->holds<RankingFiles>();
  section.content += trouble_notice(files.parts.trouble);
  if (!files.parts.value || files.parts.value->figures.empty()) return section;
  const auto& parts = *files.parts.value;
  const bool any = !parts.camera_pairs.empty() || !parts.domains.empty();
  if (any && shown_rankings(run).size() > 1) {
    section.content += element("p", {{"class", "note"}}, "Of stage " + last->name + ".");
  }
  if (!parts.camera_pairs.empty()) {
    std::set<std::string> cameras;
    for (const auto& part : parts.camera_pairs) cameras.insert({part.query, part.gallery});
    section.content +=
        element("h3", "By pair of cameras") +
        element(
            "p", {{"class", "note"}},
            "Queries of one camera against the gallery images of one other camera alone, so there are fewer "
            "images to confuse than in the whole gallery. Pale figures come from fewer than " +
                std::to_string(few_queries) + " queries.");
    if (cameras.size() > most_cameras) {
      section.content += worst_pairs(parts);
    } else {
      Html tables;
      for (std::size_t i = 0; i < parts.figures.size(); ++i) {
        if (parts.figures[i].prominence == Prominence::headline) tables += camera_table(parts, i);
      }
      section.content += element("div", {{"class", "tables"}}, tables);
    }
  }
  if (!parts.domains.empty()) section.content += element("h3", "By domain") + domain_table(parts);
  return section;
}

std::vector<const RunStage*> shown_rankings(const RunFiles& run) {
  auto stages = run.rankings();
  std::erase_if(stages, [](const RunStage* stage) {
    const auto& files = *stage->holds<RankingFiles>();
    std::error_code failure;
    return !files.queries.there() && files.curves.empty() && !std::filesystem::exists(files.matches, failure);
  });
  return stages;
}

const RunStage* last_ranking(const RunFiles& run) {
  const auto stages = shown_rankings(run);
  return stages.empty() ? nullptr : stages.back();
}

Section ranking_section(const RunFiles& run, const SheetSize& size, Pictures& pictures, MapPictures* maps,
                        std::size_t& rankings) {
  Section section{"rankings", "Rankings", {}};
  const auto* last = last_ranking(run);
  if (last == nullptr) return section;
  const auto& files = *last->holds<RankingFiles>();
  section.content += element("p", {{"class", "note"}}, "Of stage " + last->name + ".");
  Html charts;
  for (const auto& curve : files.curves) charts += metric_chart(curve);
  if (files.queries.value) charts += value_histogram(*files.queries.value);
  if (!charts.empty()) section.content += element("div", {{"class", "charts"}}, charts);
  if (files.scores.value) {
    for (const auto& table : files.scores.value->tables) {
      if (!table.plot) section.content += metric_table(table);
    }
  }
  section.content += trouble_notice(files.queries.trouble);
  for (const auto& trouble : run.image_troubles) section.content += trouble_notice(trouble);
  if (files.scores.value) section.content += other_rankings_notice(*files.scores.value);
  RankingDrawer drawer(run, files, pictures, maps);
  const bool judged = files.queries.value && !files.queries.value->columns.empty();
  const auto drawn =
      judged ? judged_rankings(*files.queries.value, size, drawer) : unjudged_rankings(files, size, drawer);
  rankings = drawer.drawn();
  if (rankings > 0) section.content += drawer.key();
  section.content += drawn;
  return section;
}

}  // namespace kindred::report
