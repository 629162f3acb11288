#include "study/summary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>

#include "kindred/text/csv.h"
#include "text/text_table.h"

namespace kindred::study {
namespace {

constexpr std::array<RankingKind, 2> rankings = {RankingKind::final, RankingKind::descriptors_alone};

/// A run's scores by one of its rankings; nullptr while it has none.
const CellScores* scores_of(const CellOutcome& outcome, RankingKind ranking) {
  if (!outcome.result) return nullptr;
  const bool alone = ranking == RankingKind::descriptors_alone && outcome.result->by_descriptors_alone;
  return alone ? &*outcome.result->by_descriptors_alone : &outcome.result->scores;
}

bool any_post_processed(const std::vector<CellOutcome>& outcomes) {
  return std::any_of(outcomes.begin(), outcomes.end(),
                     [](const CellOutcome& outcome) { return outcome.cell.plan.post_processed(); });
}

/// The rankings that are worth a table.
std::vector<RankingKind> rankings_of(const std::vector<CellOutcome>& outcomes) {
  if (any_post_processed(outcomes)) return {rankings.begin(), rankings.end()};
  return {RankingKind::final};
}

const char* ranking_title(RankingKind ranking) {
  return ranking == RankingKind::final ? "after post-processing" : "with descriptors only";
}

/// "mAP", or "mAP@200" when all runs look so deep.
std::string mean_ap_name(const std::vector<CellOutcome>& outcomes) {
  const auto depth = outcomes.front().cell.plan.evaluate.map_depth;
  const bool same = std::all_of(outcomes.begin(), outcomes.end(), [depth](const CellOutcome& outcome) {
    return outcome.cell.plan.evaluate.map_depth == depth;
  });
  return depth > 0 && same ? "mAP@" + std::to_string(depth) : "mAP";
}

std::string percent(double share, const char* format = "%.2f") {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, 100 * share);
  return buffer.data();
}

/// "48.53 ± 0.71 (3)"
std::string spread_text(const MeanDeviation& spread, const char* format = "%.2f") {
  if (spread.count == 0) return "-";
  return percent(spread.mean, format) + (spread.deviation ? " ± " + percent(*spread.deviation) : "") + " (" +
         std::to_string(spread.count) + ")";
}

std::string pair_text(double mean_ap, double rank1) {
  return percent(mean_ap) + "/" + percent(rank1);
}

/// The shortest text that is read as the same number.
std::string exact(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), end};
}

std::string exact(const std::optional<double>& number) {
  return number ? exact(*number) : "";
}

std::string text_of(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "";
}

std::string state_text(const CellOutcome& outcome) {
  return outcome.result ? "done" : outcome.failure.empty() ? "not done" : "failed";
}

}  // namespace

MeanDeviation spread_of(const std::vector<double>& values) {
  MeanDeviation spread;
  spread.count = values.size();
  if (values.empty()) return spread;
  double sum = 0;
  for (const auto value : values) sum += value;
  const auto count = static_cast<double>(values.size());
  spread.mean = sum / count;
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const auto value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / (count - 1));
  return spread;
}

std::vector<ArmSummary> summarize(const Study& study, const std::vector<CellOutcome>& outcomes,
                                  RankingKind ranking) {
  struct Figures {
    std::vector<double> mean_ap, rank1, mean_ap_difference, rank1_difference;
  };
  std::vector<Figures> arms(study.arms.size());
  using SeedAndFold = std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>>;
  std::map<SeedAndFold, const CellScores*> first;
  for (const auto& outcome : outcomes) {
    const auto* scores = scores_of(outcome, ranking);
    if (scores != nullptr && outcome.cell.arm == 0) first[{outcome.cell.seed, outcome.cell.fold}] = scores;
  }
  for (const auto& outcome : outcomes) {
    const auto* scores = scores_of(outcome, ranking);
    if (scores == nullptr) continue;
    auto& arm = arms[outcome.cell.arm];
    arm.mean_ap.push_back(scores->mean_ap);
    arm.rank1.push_back(scores->rank1);
    const auto pair = first.find({outcome.cell.seed, outcome.cell.fold});
    if (outcome.cell.arm == 0 || pair == first.end()) continue;
    arm.mean_ap_difference.push_back(scores->mean_ap - pair->second->mean_ap);
    arm.rank1_difference.push_back(scores->rank1 - pair->second->rank1);
  }
  std::vector<ArmSummary> summaries;
  for (const auto& arm : arms) {
    summaries.push_back({spread_of(arm.mean_ap), spread_of(arm.rank1), spread_of(arm.mean_ap_difference),
                         spread_of(arm.rank1_difference)});
  }
  return summaries;
}

std::string Grid::text() const {
  text::TextTable table;
  table.heads = heads;
  table.widths.assign(heads.size() - 1, 48);
  table.line_width = 200;
  table.rows = rows;
  return (title.empty() ? "" : title + ":\n") + table.str();
}

std::string Grid::markdown() const {
  const auto line = [](const std::vector<std::string>& cells) {
    std::string result = "|";
    for (const auto& cell : cells) {
      result += ' ';
      for (const char c : cell) result += c == '|' ? std::string("\\|") : std::string(1, c);
      result += " |";
    }
    return result + "\n";
  };
  std::string result = title.empty() ? "" : title + ":\n\n";
  result += line(heads) + line(std::vector<std::string>(heads.size(), "---"));
  for (const auto& row : rows) result += line(row);
  return result;
}

std::vector<Grid> arm_grids(const Study& study, const std::vector<CellOutcome>& outcomes) {
  const auto mean_ap = mean_ap_name(outcomes);
  const auto kinds = rankings_of(outcomes);
  std::vector<Grid> grids;
  for (const auto ranking : kinds) {
    Grid grid;
    if (kinds.size() > 1) grid.title = ranking_title(ranking);
    grid.heads = {"arm", mean_ap, "Rank-1"};
    const bool compared = study.arms.size() > 1;
    if (compared) grid.heads.insert(grid.heads.end(), {mean_ap + " difference", "Rank-1 difference"});
    const auto summaries = summarize(study, outcomes, ranking);
    for (std::size_t arm = 0; arm < summaries.size(); ++arm) {
      const auto& summary = summaries[arm];
      const auto& name = study.arms[arm].name;
      std::vector<std::string> row = {name.empty() ? "the recipe" : name, spread_text(summary.mean_ap),
                                      spread_text(summary.rank1)};
      if (compared) {
        row.push_back(arm == 0 ? "" : spread_text(summary.mean_ap_difference, "%+.2f"));
        row.push_back(arm == 0 ? "" : spread_text(summary.rank1_difference, "%+.2f"));
      }
      grid.rows.push_back(std::move(row));
    }
    grids.push_back(std::move(grid));
  }
  return grids;
}

std::vector<Grid> fold_grids(const std::vector<CellOutcome>& outcomes) {
  Grid grid;
  const auto pair_name = mean_ap_name(outcomes) + "/Rank-1";
  grid.heads = {pair_name};
  for (const auto& outcome : outcomes) grid.heads.push_back("split" + text_of(outcome.cell.fold));
  const auto done = static_cast<std::size_t>(
      std::count_if(outcomes.begin(), outcomes.end(),
                    [](const CellOutcome& outcome) { return outcome.result.has_value(); }));
  grid.heads.push_back(done == outcomes.size() ? "mean" : "mean of " + std::to_string(done));
  grid.heads.emplace_back("deviation");
  const auto kinds = rankings_of(outcomes);
  for (const auto ranking : kinds) {
    std::vector<std::string> row = {kinds.size() > 1 ? ranking_title(ranking) : "with descriptors"};
    std::vector<double> mean_ap;
    std::vector<double> rank1;
    for (const auto& outcome : outcomes) {
      const auto* scores = scores_of(outcome, ranking);
      if (scores == nullptr) {
        row.push_back(state_text(outcome));
        continue;
      }
      row.push_back(pair_text(scores->mean_ap, scores->rank1));
      mean_ap.push_back(scores->mean_ap);
      rank1.push_back(scores->rank1);
    }
    const auto first = spread_of(mean_ap);
    const auto second = spread_of(rank1);
    row.push_back(first.count == 0 ? "-" : pair_text(first.mean, second.mean));
    row.push_back(first.deviation ? pair_text(*first.deviation, *second.deviation) : "-");
    grid.rows.push_back(std::move(row));
  }
  return {grid};
}

void write_study_csv(std::ostream& out, const Study& study, const std::vector<CellOutcome>& outcomes) {
  write_csv_row(out, {"row", "ranking", "arm", "seed", "fold", "state", "mAP", "mAP_deviation", "rank1",
                      "rank1_deviation", "runs", "mINP", "queries", "gallery", "run"});
  for (const auto ranking : rankings_of(outcomes)) {
    const std::string kind = ranking == RankingKind::final ? "final" : "descriptors";
    for (const auto& outcome : outcomes) {
      const auto& cell = outcome.cell;
      const auto* scores = scores_of(outcome, ranking);
      std::vector<std::string> row = {"cell",
                                      kind,
                                      study.arms[cell.arm].name,
                                      text_of(cell.seed),
                                      text_of(cell.fold),
                                      state_text(outcome)};
      if (scores == nullptr) {
        row.insert(row.end(), 8, "");
      } else {
        row.insert(row.end(),
                   {exact(scores->mean_ap), "", exact(scores->rank1), "", "1", exact(scores->mean_inp),
                    std::to_string(scores->queries), std::to_string(scores->gallery)});
      }
      row.push_back(cell.folder.string());
      write_csv_row(out, row);
    }
    const auto summaries = summarize(study, outcomes, ranking);
    const auto write = [&](const char* what, std::size_t arm, const MeanDeviation& mean_ap,
                           const MeanDeviation& rank1) {
      if (mean_ap.count == 0) return;
      write_csv_row(
          out, {what, kind, study.arms[arm].name, "", "", "", exact(mean_ap.mean), exact(mean_ap.deviation),
                exact(rank1.mean), exact(rank1.deviation), std::to_string(mean_ap.count), "", "", "", ""});
    };
    for (std::size_t arm = 0; arm < summaries.size(); ++arm) {
      write("mean", arm, summaries[arm].mean_ap, summaries[arm].rank1);
    }
    for (std::size_t arm = 1; arm < summaries.size(); ++arm) {
      write("difference", arm, summaries[arm].mean_ap_difference, summaries[arm].rank1_difference);
    }
  }
}

}  // namespace kindred::study
