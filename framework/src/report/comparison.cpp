#include "report/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "recipe/recipe_difference.h"
#include "report/page.h"
#include "report/ranking_drawer.h"
#include "report/ranking_section.h"
#include "report/score_blocks.h"
#include "text/chart.h"
#include "text/number_text.h"

namespace kindred::report {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t change_bins = 20;
constexpr const char* not_comparable =
    "These scores are not comparable: the runs were evaluated on other queries or another gallery, or with "
    "other settings of [evaluate]. So there is no change.";

/// The two runs, with the names by which they are told apart.
struct Two {
  RunFiles first;
  RunFiles second;
  std::string first_name;
  std::string second_name;
};

/// The folders' names, or, when they are the same, those with the folder around them, or else numbers.
std::pair<std::string, std::string> names_of(const RunFiles& first, const RunFiles& second) {
  const auto short_name = [](const fs::path& folder) { return folder.filename().string(); };
  const auto long_name = [](const fs::path& folder) {
    return (folder.parent_path().filename() / folder.filename()).string();
  };
  if (short_name(first.folder) != short_name(second.folder)) {
    return {short_name(first.folder), short_name(second.folder)};
  }
  if (long_name(first.folder) != long_name(second.folder)) {
    return {long_name(first.folder), long_name(second.folder)};
  }
  return {"first " + short_name(first.folder), "second " + short_name(second.folder)};
}

/// Runs of one name, as those of a study are, have pages of their own: "compared_with_off_seed1.html".
std::string page_name(const Two& two) {
  const auto& folder = two.first.folder;
  auto name = folder.filename().string();
  if (name == two.second.folder.filename()) name = folder.parent_path().filename().string() + "_" + name;
  return "compared_with_" + name + ".html";
}

bool of_same_images(const RunStage& first, const RunStage& second) {
  const auto& of_first = first.holds<RankingFiles>()->scores.value;
  const auto& of_second = second.holds<RankingFiles>()->scores.value;
  return of_first && of_second && of_first->images_sha256 == of_second->images_sha256;
}

/// The last ranking of the second run whose images the first has ranked as well, with the first's last one of
/// them; without such images the last of each run, nullptr where there is none.
struct TwoRankings {
  const RankingFiles* first = nullptr;
  const RankingFiles* second = nullptr;
  Html stages;  ///< which they are, where a run has several

  explicit TwoRankings(const Two& two) {
    const auto of_first = shown_rankings(two.first);
    const auto of_second = shown_rankings(two.second);
    const auto* before = of_first.empty() ? nullptr : of_first.back();
    const auto* after = of_second.empty() ? nullptr : of_second.back();
    for (auto at = of_second.rbegin(); at != of_second.rend(); ++at) {
      const auto same = std::find_if(of_first.rbegin(), of_first.rend(),
                                     [&](const RunStage* stage) { return of_same_images(*stage, **at); });
      if (same == of_first.rend()) continue;
      before = *same;
      after = *at;
      break;
    }
    if (before != nullptr) first = before->holds<RankingFiles>();
    if (after != nullptr) second = after->holds<RankingFiles>();
    if (before == nullptr || after == nullptr || (of_first.size() == 1 && of_second.size() == 1)) return;
    stages = element("p", {{"class", "note"}},
                     "Of stage " + before->name + " of " + two.first_name + " and of stage " + after->name +
                         " of " + two.second_name + ".");
  }
};

/// The figures of two evaluations side by side.
Html compared_figures(const std::string& name, const Two& two, const results::Evaluation& first,
                      const results::Evaluation& second) {
  const bool subtracted = results::comparable(first, second);
  HtmlTable table;
  table.name = name + ", shares in %";
  table.columns = {{"Figure"}, {two.first_name}, {two.second_name}, {"Change"}};
  Html cautions;
  for (const auto& figure : results::figures_of({&first, &second}, Prominence::listed)) {
    const auto cell = [&](const results::Evaluation& scores, const std::string& run) {
      const auto* found = scores.find(figure.name);
      if (found == nullptr) return std::string();
      if (found->caution.empty()) return cell_text(figure.kind, found->value);
      cautions +=
          element("p", {{"class", "note"}}, "? " + figure.label + " of " + run + ": " + found->caution + ".");
      return cell_text(figure.kind, found->value) + " ?";
    };
    const auto before = cell(first, two.first_name);
    const auto after = cell(second, two.second_name);
    table.rows.push_back(
        {{figure.label, before, after,
          subtracted ? change_cell(figure, first.value(figure.name), second.value(figure.name)) : Html()},
         figure.prominence == Prominence::headline});
  }
  return draw(table) + cautions + (subtracted ? Html() : notice(not_comparable));
}

Section score_comparison(const Two& two) {
  Section section{"scores", "Scores", {}};
  for (const auto* run : {&two.first, &two.second}) {
    for (const auto* stage : run->rankings()) {
      const auto& files = *stage->holds<RankingFiles>();
      section.content += trouble_notice(files.scores.trouble) + trouble_notice(files.plain_scores.trouble);
    }
  }
  const auto of_first = all_scores(two.first);
  const auto of_second = all_scores(two.second);
  if (of_first.empty() || of_second.empty()) {
    section.content += element("p", {{"class", "empty"}},
                               "No scores of " + (of_first.empty() ? two.first_name : two.second_name) +
                                   ": nothing has been evaluated, or the queries are unlabeled.");
    return section;
  }
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  // of final scores of the same images
  const auto finals_of_first = final_scores(of_first);
  for (const auto second : final_scores(of_second)) {
    const auto first = std::find_if(finals_of_first.begin(), finals_of_first.end(), [&](std::size_t place) {
      return of_first[place].scores->images_sha256 == of_second[second].scores->images_sha256;
    });
    if (first != finals_of_first.end()) pairs.emplace_back(*first, second);
  }
  if (pairs.empty()) pairs.emplace_back(finals_of_first.back(), of_second.size() - 1);
  for (const auto& [place_of_first, place_of_second] : pairs) {
    const auto& first = of_first[place_of_first];
    const auto& second = of_second[place_of_second];
    const auto stage = pairs.size() > 1 ? " of " + second.name : std::string();
    section.content += compared_figures("Final scores" + stage, two, *first.scores, *second.scores);
    for (const auto& [run, scores] : {std::pair(&two.first_name, &first), {&two.second_name, &second}}) {
      section.content += element("p", {{"class", "note"}},
                                 *run + ", " + scores->name + ": " + basis_text(*scores->scores) + ".");
    }
    if (!first.post_processed && !second.post_processed) continue;
    const auto plain = [](const std::vector<NamedScores>& all, const NamedScores& scores) {
      return scores.post_processed ? all[*scores.base].scores : scores.scores;
    };
    section.content += compared_figures("By the descriptors alone, without post-processing" + stage, two,
                                        *plain(of_first, first), *plain(of_second, second));
  }
  return section;
}

/// Parts of the same name side by side. There is a change where they have as many queries: domains of one
/// name may be those of two partitions.
Html part_table(const std::string& name, const std::string& head, const Two& two, std::size_t figure,
                const results::PartScores& first, const std::vector<results::PartScores::Part>& of_first,
                const std::vector<results::PartScores::Part>& of_second) {
  HtmlTable table;
  const auto& info = first.figures[figure];
  table.name = info.label + " " + name + (info.kind == FigureKind::share ? ", in %" : "");
  table.columns = {{head}, {two.first_name}, {two.second_name}, {"Change"}, {"Queries"}};
  for (const auto& part : of_first) {
    const auto other = std::find_if(of_second.begin(), of_second.end(), [&](const auto& one) {
      return one.query == part.query && one.gallery == part.gallery;
    });
    if (other == of_second.end()) continue;
    const double before = part.values[figure];
    const double after = other->values[figure];
    const bool same = part.queries == other->queries;
    table.rows.push_back(
        {{part.query + (part.gallery.empty() ? "" : " \u2192 " + part.gallery), cell_text(info.kind, before),
          cell_text(info.kind, after), same ? change_cell(info, before, after) : Html(),
          (same ? "" : text::count_text(part.queries) + " \u2192 ") + text::count_text(other->queries)},
         false});
  }
  return table.rows.empty() ? Html() : draw(table);
}

Section part_comparison(const Two& two) {
  Section section{"parts", "Cameras and domains", {}};
  const TwoRankings rankings(two);
  const auto* first = rankings.first;
  const auto* second = rankings.second;
  if (first == nullptr || second == nullptr) return section;
  if (!first->parts.value || !second->parts.value || !first->scores.value || !second->scores.value)
    return section;
  if (!results::comparable(*first->scores.value, *second->scores.value)) return section;
  const auto& of_first = *first->parts.value;
  const auto& of_second = *second->parts.value;
  Html domains;
  Html cameras;
  for (std::size_t i = 0; i < of_first.figures.size() && i < of_second.figures.size(); ++i) {
    if (of_first.figures[i].prominence != Prominence::headline ||
        of_first.figures[i].name != of_second.figures[i].name) {
      continue;
    }
    domains += part_table("by domain", "Domain", two, i, of_first, of_first.domains, of_second.domains);
    cameras += part_table("by cameras of query \u2192 gallery", "Cameras", two, i, of_first,
                          of_first.camera_pairs, of_second.camera_pairs);
  }
  if (!domains.empty() || !cameras.empty()) section.content += rankings.stages;
  if (!domains.empty()) section.content += element("div", {{"class", "tables"}}, domains);
  if (!cameras.empty()) section.content += element("div", {{"class", "tables"}}, cameras);
  return section;
}

/// A query that both runs have judged.
struct ComparedQuery {
  double before;
  double after;
  std::size_t first_place;
  std::size_t second_place;
};

/// @param same_images the queries are the same in the same order, whatever folder heads their paths
std::vector<ComparedQuery> compared_queries(const results::QueryTable& first,
                                            const results::QueryTable& second, bool same_images) {
  const bool in_order = same_images && first.queries.size() == second.queries.size();
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < second.queries.size(); ++i) places.emplace(second.queries[i].path, i);
  std::vector<ComparedQuery> compared;
  for (std::size_t i = 0; i < first.queries.size(); ++i) {
    const auto other = in_order ? places.end() : places.find(first.queries[i].path);
    if (!in_order && other == places.end()) continue;
    const auto place = in_order ? i : other->second;
    const double before = first.columns.front().values[i];
    const double after = second.columns.front().values[place];
    if (std::isnan(before) || std::isnan(after)) continue;
    compared.push_back({before, after, i, place});
  }
  return compared;
}

/// What stands before the path of one image in two runs.
RenamedFolder renamed_folder(const std::string& first, const std::string& second) {
  const auto [head, other_head] = std::mismatch(first.rbegin(), first.rend(), second.rbegin(), second.rend());
  return {{first.begin(), head.base()}, {second.begin(), other_head.base()}};
}

Html change_histogram(const MetricColumn& column, const std::vector<ComparedQuery>& queries) {
  if (column.kind != FigureKind::share) return {};
  std::vector<double> changes;
  for (const auto& query : queries) {
    if (query.after != query.before) changes.push_back(100 * (query.after - query.before));
  }
  text::Histogram histogram;
  histogram.name = "Histogram of the change of " + column.label + " of the " +
                   text::count_text(static_cast<std::int64_t>(changes.size()), "query", "queries") +
                   " that changed";
  histogram.label = "change of " + column.label + " in points";
  histogram.unit = "queries";
  histogram.from = -100;
  histogram.to = 100;
  histogram.counts = text::count_in_bins(changes, -100, 100, change_bins);
  return figure("Change of " + column.label + " of the queries that changed", draw(histogram));
}

Section query_comparison(const Two& two, const SheetSize& size, Pictures& pictures, std::size_t& drawn) {
  Section section{"queries", "Queries", {}};
  const TwoRankings rankings(two);
  const auto* first = rankings.first;
  const auto* second = rankings.second;
  if (first == nullptr || second == nullptr) return section;
  section.content += trouble_notice(first->queries.trouble) + trouble_notice(second->queries.trouble);
  if (!first->queries.value || !second->queries.value) return section;
  section.content += rankings.stages;
  const bool judged = first->scores.value && second->scores.value;
  if (judged && !results::comparable(*first->scores.value, *second->scores.value)) {
    section.content += notice(not_comparable);
    return section;
  }
  const auto& of_first = *first->queries.value;
  const auto& of_second = *second->queries.value;
  if (of_first.columns.empty() || of_second.columns.empty() ||
      of_first.columns.front().name != of_second.columns.front().name) {
    return section;
  }
  const auto& by = of_first.columns.front();
  auto queries = compared_queries(of_first, of_second, judged);
  if (queries.empty()) {
    section.content += element("p", {{"class", "empty"}}, "The runs have no evaluated query in common.");
    return section;
  }
  std::stable_sort(queries.begin(), queries.end(), [](const ComparedQuery& a, const ComparedQuery& b) {
    return a.after - a.before < b.after - b.before;
  });
  const auto worse = static_cast<std::size_t>(std::count_if(
      queries.begin(), queries.end(), [](const ComparedQuery& one) { return one.after < one.before; }));
  const auto better = static_cast<std::size_t>(std::count_if(
      queries.begin(), queries.end(), [](const ComparedQuery& one) { return one.after > one.before; }));
  section.content += element("p", {{"class", "note"}},
                             "By " + by.label + ", of " + std::to_string(queries.size()) + " queries " +
                                 std::to_string(better) + " are better in " + two.second_name + ", " +
                                 std::to_string(worse) + " are worse, and " +
                                 std::to_string(queries.size() - better - worse) + " are the same.");
  section.content += element("div", {{"class", "charts"}}, change_histogram(by, queries));

  std::vector<ComparedQuery> lost(queries.begin(),
                                  queries.begin() + static_cast<std::ptrdiff_t>(std::min(worse, size.worst)));
  std::vector<ComparedQuery> gained(
      queries.rbegin(), queries.rbegin() + static_cast<std::ptrdiff_t>(std::min(better, size.best)));
  const auto first_path = [&](const ComparedQuery& query) {
    return of_first.queries[query.first_place].path;
  };
  const auto second_path = [&](const ComparedQuery& query) {
    return of_second.queries[query.second_place].path;
  };
  std::vector<std::string> first_paths;
  std::vector<std::string> second_paths;
  for (const auto* part : {&lost, &gained}) {
    for (const auto& query : *part) {
      first_paths.push_back(first_path(query));
      second_paths.push_back(second_path(query));
    }
  }
  RankingDrawer before(two.first, *first, pictures, nullptr,
                       renamed_folder(first_path(queries.front()), second_path(queries.front())));
  RankingDrawer after(two.second, *second, pictures, nullptr);
  section.content += trouble_notice(before.read(first_paths)) + trouble_notice(after.read(second_paths));
  Html sheets;
  const auto add = [&](const std::string& title, const std::vector<ComparedQuery>& part) {
    Html sheet;
    for (const auto& query : part) {
      sheet +=
          before.draw(first_path(query), two.first_name + ": " + query_text(of_first, query.first_place));
      sheet +=
          after.draw(second_path(query), two.second_name + ": " + query_text(of_second, query.second_place));
    }
    if (!sheet.empty()) sheets += element("h3", title) + sheet;
  };
  const auto order = " (first " + two.first_name + ", then " + two.second_name + ")";
  add("Lost most" + order, lost);
  add("Gained most" + order, gained);
  drawn = before.drawn() + after.drawn();
  if (drawn == 0) return section;
  if (second->scores.value) section.content += other_rankings_notice(*second->scores.value);
  section.content += after.key() + sheets;
  return section;
}

const TrainingMetrics* metrics_of(const RunStage& stage) {
  const auto* training = stage.holds<TrainingFiles>();
  return training == nullptr || !training->metrics.value ? nullptr : &*training->metrics.value;
}

/// One figure of two trainings by epoch.
Html both_by_epoch(const std::string& title, const Two& two, const std::map<std::string, EpochSeries>& first,
                   const std::map<std::string, EpochSeries>& second, const std::string& figure_name,
                   double factor) {
  text::LineChart chart;
  chart.name = title + " by epoch";
  chart.x.label = "epoch";
  chart.x.whole = true;
  chart.y.label = factor == 100 ? title + " in %" : title;
  chart.y.with_zero = true;
  const auto add = [&](const std::string& name, const std::map<std::string, EpochSeries>& all) {
    const auto found = all.find(figure_name);
    if (found == all.end()) return;
    text::ChartLine line{name, {}};
    for (const auto& [epoch, value] : found->second) {
      line.points.push_back({static_cast<double>(epoch), factor * value});
    }
    chart.lines.push_back(std::move(line));
  };
  add(two.first_name, first);
  add(two.second_name, second);
  return chart.lines.size() < 2 ? Html() : figure(title, draw(chart));
}

Section training_comparison(const Two& two) {
  Section section{"training", "Training", {}};
  for (const auto& stage : two.second.stages) {
    const auto* other = two.first.find(stage.name);
    const auto* second = metrics_of(stage);
    const auto* first = other == nullptr ? nullptr : metrics_of(*other);
    if (first == nullptr || second == nullptr) continue;
    auto charts = both_by_epoch("Loss", two, first->figures, second->figures, "loss", 1);
    const auto* ranking = TwoRankings(two).second;
    if (ranking != nullptr && ranking->scores.value) {
      for (const auto& figure : results::figures_of({&*ranking->scores.value}, Prominence::headline)) {
        for (const auto& [test_set, figures] : first->evaluations) {
          const auto same = second->evaluations.find(test_set);
          if (same == second->evaluations.end()) continue;
          charts += both_by_epoch(figure.label + (test_set.empty() ? "" : " on " + test_set), two, figures,
                                  same->second, figure.name, figure.kind == FigureKind::share ? 100 : 1);
        }
      }
    }
    if (charts.empty()) continue;
    section.content += element("h3", stage.name) + element("div", {{"class", "charts"}}, charts);
  }
  return section;
}

Section cost_comparison(const Two& two) {
  Section section{"cost", "Cost",
                  trouble_notice(two.first.costs_trouble) + trouble_notice(two.second.costs_trouble)};
  HtmlTable table;
  table.name = "Time of the stages";
  table.columns = {{"Stage"}, {two.first_name}, {two.second_name}};
  const auto text_of = [](const RunStage* stage) {
    return stage == nullptr || !stage->cost ? std::string("-") : time_taken_text(stage->cost->seconds);
  };
  for (const auto& stage : two.first.stages) {
    table.rows.push_back({{stage.name, text_of(&stage), text_of(two.second.find(stage.name))}, false});
  }
  for (const auto& stage : two.second.stages) {
    if (two.first.find(stage.name) != nullptr) continue;
    table.rows.push_back({{stage.name, "-", text_of(&stage)}, false});
  }
  if (!table.rows.empty()) section.content += draw(table);
  return section;
}

Section recipe_comparison(const Two& two) {
  Section section{"recipe", "Recipes", {}};
  for (const auto* run : {&two.first, &two.second}) {
    if (run->recipe.value) continue;
    section.content += run->recipe.trouble.empty()
                           ? notice("The recipe of " +
                                    (run == &two.first ? two.first_name : two.second_name) + " is missing.")
                           : trouble_notice(run->recipe.trouble);
  }
  if (!section.content.empty()) return section;
  HtmlTable table;
  table.name = "What differs";
  table.columns = {{"Key"}, {two.first_name, true}, {two.second_name, true}};
  for (const auto& one : recipe::recipe_differences(two.first.recipe_value(), two.second.recipe_value())) {
    table.rows.push_back(
        {{one.key, one.there.empty() ? "-" : one.there, one.here.empty() ? "-" : one.here}, false});
  }
  section.content =
      table.rows.empty() ? element("p", {{"class", "empty"}}, "The recipes are the same.") : draw(table);
  return section;
}

}  // namespace

ReportOutcome write_comparison(const fs::path& first, const fs::path& second, const ReportOptions& options,
                               const Catalog& catalog) {
  Two two{read_run(first), read_run(second), "", ""};
  if (two.first.folder == two.second.folder) {
    throw DataError(second, "is the same run as '" + first.string() + "'; give two runs to compare");
  }
  std::tie(two.first_name, two.second_name) = names_of(two.first, two.second);
  ReportOutcome outcome;
  std::string data_trouble;
  auto pictures = open_pictures(two.second, options.data, catalog, data_trouble);
  Page page;
  page.title = two.first_name + " and " + two.second_name;
  page.header = page_header(
      "Kindred runs compared", two.first_name + " \u2192 " + two.second_name,
      {{two.first_name, two.first.recipe_key("name")}, {two.second_name, two.second.recipe_key("name")}});
  page.sections = {score_comparison(two),
                   part_comparison(two),
                   query_comparison(two, options.sheet, pictures, outcome.rankings),
                   training_comparison(two),
                   cost_comparison(two),
                   recipe_comparison(two)};
  page.notices = {outdated_notice(two.first.outdated, two.first_name),
                  outdated_notice(two.second.outdated, two.second_name)};
  auto missing = missing_images_text(pictures, data_trouble);
  if (!missing.empty()) {
    if (options.data.empty()) missing += " If the data has moved, give its folder: --data FOLDER";
    page.notices.push_back(notice(element("strong", "Images: ") + missing));
    outcome.notes.push_back(missing);
  }
  const auto text = page_text(page);
  outcome.file = options.out.empty() ? second / page_name(two) : options.out;
  outcome.bytes = text.size();
  outcome.images = pictures.shown();
  file::write_atomically(outcome.file, [&](std::ostream& out) { out << text; });
  return outcome;
}

}  // namespace kindred::report
