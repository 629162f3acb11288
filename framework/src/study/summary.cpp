#include "study/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "kindred/text/csv.h"
#include "results/evaluation_text.h"
#include "text/number_text.h"
#include "text/text_table.h"

namespace kindred::study {
namespace {

constexpr std::array<RankingKind, 2> kinds_of_rankings = {RankingKind::final, RankingKind::descriptors_alone};

/// A run's scores by one of its rankings; nullptr while it has none.
const results::Evaluation* scores_of(const RunOutcome& outcome, const ComparedRankings& rankings) {
  for (const auto& result : outcome.results) {
    if (result.test_set != rankings.test_set) continue;
    const bool alone = rankings.kind == RankingKind::descriptors_alone && result.by_descriptors_alone;
    return alone ? &*result.by_descriptors_alone : &result.scores;
  }
  return nullptr;
}

/// Of all runs, those that are done and those that are not, in the order of their recipes; one "" at least.
std::vector<std::string> test_sets_of(const std::vector<RunOutcome>& outcomes) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const auto& outcome : outcomes) {
    const auto& plan = outcome.run.plan;
    if (plan.datasets.size() > 1) {
      for (const auto& name : plan.evaluate_on) add(name);
    }
    for (const auto& result : outcome.results) add(result.test_set);
  }
  if (names.empty()) names.emplace_back();
  return names;
}

bool any_post_processed(const std::vector<RunOutcome>& outcomes) {
  return std::any_of(outcomes.begin(), outcomes.end(),
                     [](const RunOutcome& outcome) { return outcome.run.plan.post_processed(); });
}

std::vector<RankingKind> kinds_of(const std::vector<RunOutcome>& outcomes) {
  if (any_post_processed(outcomes)) return {kinds_of_rankings.begin(), kinds_of_rankings.end()};
  return {RankingKind::final};
}

/// The rankings that are worth a table.
std::vector<ComparedRankings> rankings_of(const std::vector<RunOutcome>& outcomes) {
  std::vector<ComparedRankings> rankings;
  for (const auto& test_set : test_sets_of(outcomes)) {
    for (const auto kind : kinds_of(outcomes)) rankings.push_back({kind, test_set});
  }
  return rankings;
}

const char* kind_title(RankingKind kind) {
  return kind == RankingKind::final ? "after post-processing" : "with descriptors only";
}

/// What tells rankings from the others; "" when there are no others.
std::string rankings_title(const ComparedRankings& rankings, const std::vector<RunOutcome>& outcomes) {
  std::string title = rankings.test_set.empty() ? "" : "tested on " + rankings.test_set;
  if (kinds_of(outcomes).size() == 1) return title;
  return title + (title.empty() ? "" : ", ") + kind_title(rankings.kind);
}

/// "A + B", or with their shares "A 75 %, B 25 %"; "" before anything is known.
std::string trained_on_text(const recipe::Plan& plan) {
  double shares = 0;
  for (const auto& dataset : plan.datasets) shares += dataset.share.value_or(0);
  const bool shared = recipe::have_shares(plan.datasets);
  std::string text;
  for (const auto& dataset : plan.datasets) {
    if (!dataset.trained_on()) continue;
    text += (text.empty() ? "" : shared ? ", " : " + ") + dataset.name;
    if (shared) text += " " + text::fixed_text(100 * *dataset.share / shares, 0) + " %";
  }
  return text;
}

/// Of all results.
std::vector<FigureInfo> figures_of(const std::vector<RunOutcome>& outcomes, Prominence least) {
  std::vector<const results::Evaluation*> evaluations;
  for (const auto& outcome : outcomes) {
    for (const auto& result : outcome.results) {
      evaluations.push_back(&result.scores);
      if (result.by_descriptors_alone) evaluations.push_back(&*result.by_descriptors_alone);
    }
  }
  return results::figures_of(evaluations, least);
}

/// "48.53 ± 0.71 (3)"
std::string deviation_text(const FigureInfo& figure, const MeanDeviation& spread, bool sign = false) {
  if (spread.count == 0) return "-";
  return results::figure_cell(figure.kind, spread.mean, sign) +
         (spread.deviation ? " ± " + results::figure_cell(figure.kind, *spread.deviation) : "") + " (" +
         std::to_string(spread.count) + ")";
}

/// "48.53/63.70", from one text for each figure.
std::string joined(const std::vector<std::string>& texts, const std::string& between = "/") {
  std::string text;
  for (const auto& part : texts) text += (&part == &texts.front() ? "" : between) + part;
  return text;
}

std::string exact(const std::optional<double>& number) {
  return number ? text::shortest_text(*number) : "";
}

std::string text_of(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "";
}

std::string state_text(const RunOutcome& outcome) {
  return !outcome.results.empty() ? "done" : outcome.failure.empty() ? "not done" : "failed";
}

std::string variant_title(const Study& study, std::size_t variant) {
  const auto& name = study.variants[variant].name;
  return name.empty() ? "the recipe" : name;
}

/// What each variant is trained on, by what it is tested on.
Grid test_set_grid(const Study& study, const std::vector<RunOutcome>& outcomes, RankingKind kind,
                   const std::vector<FigureInfo>& figures) {
  Grid grid;
  grid.title = "trained on x tested on" +
               (kinds_of(outcomes).size() > 1 ? std::string(", ") + kind_title(kind) : std::string());
  grid.heads = {"variant", "trained on"};
  std::vector<std::string> labels;
  for (const auto& figure : figures) labels.push_back(figure.label);
  for (std::size_t variant = 0; variant < study.variants.size(); ++variant) {
    const auto run = std::find_if(outcomes.begin(), outcomes.end(),
                                  [&](const RunOutcome& outcome) { return outcome.run.variant == variant; });
    grid.rows.push_back(
        {variant_title(study, variant), run == outcomes.end() ? "" : trained_on_text(run->run.plan)});
  }
  for (const auto& test_set : test_sets_of(outcomes)) {
    grid.heads.push_back(test_set + (labels.empty() ? "" : ": " + joined(labels)));
    const auto summaries = summarize(study, outcomes, {kind, test_set}, figures);
    for (std::size_t variant = 0; variant < summaries.size(); ++variant) {
      std::vector<std::string> texts;
      for (std::size_t i = 0; i < figures.size(); ++i) {
        texts.push_back(deviation_text(figures[i], summaries[variant].figures[i]));
      }
      grid.rows[variant].push_back(texts.empty() ? "-" : joined(texts, " / "));
    }
  }
  return grid;
}

}  // namespace

MeanDeviation mean_deviation(const std::vector<double>& values) {
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

std::vector<VariantSummary> summarize(const Study& study, const std::vector<RunOutcome>& outcomes,
                                      const ComparedRankings& rankings,
                                      const std::vector<FigureInfo>& figures) {
  using SeedAndFold = std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>>;
  std::map<SeedAndFold, const results::Evaluation*> first;
  for (const auto& outcome : outcomes) {
    const auto* scores = scores_of(outcome, rankings);
    if (scores != nullptr && outcome.run.variant == 0) first[{outcome.run.seed, outcome.run.fold}] = scores;
  }
  std::vector<VariantSummary> summaries(study.variants.size());
  /// nullptr where there is nothing to subtract.
  const auto compared_with = [&](const RunOutcome& outcome,
                                 const results::Evaluation& scores) -> const results::Evaluation* {
    const auto pair = first.find({outcome.run.seed, outcome.run.fold});
    if (outcome.run.variant == 0 || pair == first.end()) return nullptr;
    if (results::comparable(*pair->second, scores)) return pair->second;
    summaries[outcome.run.variant].comparable = false;
    return nullptr;
  };
  for (const auto& figure : figures) {
    std::vector<std::vector<double>> values(study.variants.size());
    std::vector<std::vector<double>> differences(study.variants.size());
    for (const auto& outcome : outcomes) {
      const auto* scores = scores_of(outcome, rankings);
      const double value = scores == nullptr ? std::nan("") : scores->value(figure.name);
      if (std::isnan(value)) continue;
      values[outcome.run.variant].push_back(value);
      const auto* other = compared_with(outcome, *scores);
      if (other == nullptr) continue;
      const double difference = value - other->value(figure.name);
      if (!std::isnan(difference)) differences[outcome.run.variant].push_back(difference);
    }
    for (std::size_t variant = 0; variant < summaries.size(); ++variant) {
      summaries[variant].figures.push_back(mean_deviation(values[variant]));
      summaries[variant].differences.push_back(mean_deviation(differences[variant]));
    }
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
  std::string result = title.empty() ? "" : title + ":\n\n";
  result += text::markdown_row(heads) + text::markdown_row(std::vector<std::string>(heads.size(), "---"));
  for (const auto& row : rows) result += text::markdown_row(row);
  return result;
}

std::vector<Grid> variant_grids(const Study& study, const std::vector<RunOutcome>& outcomes) {
  const auto figures = figures_of(outcomes, Prominence::headline);
  std::vector<Grid> grids;
  if (test_sets_of(outcomes).size() > 1) {
    for (const auto kind : kinds_of(outcomes)) grids.push_back(test_set_grid(study, outcomes, kind, figures));
  }
  for (const auto& rankings : rankings_of(outcomes)) {
    Grid grid;
    grid.title = rankings_title(rankings, outcomes);
    grid.heads = {"variant"};
    for (const auto& figure : figures) grid.heads.push_back(figure.label);
    const bool compared = study.variants.size() > 1;
    if (compared) {
      for (const auto& figure : figures) grid.heads.push_back(figure.label + " difference");
    }
    const auto summaries = summarize(study, outcomes, rankings, figures);
    for (std::size_t variant = 0; variant < summaries.size(); ++variant) {
      std::vector<std::string> row = {variant_title(study, variant)};
      for (std::size_t i = 0; i < figures.size(); ++i) {
        row.push_back(deviation_text(figures[i], summaries[variant].figures[i]));
      }
      for (std::size_t i = 0; compared && i < figures.size(); ++i) {
        row.push_back(
            variant == 0 ? "" : deviation_text(figures[i], summaries[variant].differences[i], /*sign=*/true));
      }
      grid.rows.push_back(std::move(row));
    }
    grids.push_back(std::move(grid));
  }
  return grids;
}

std::vector<std::string> incomparable_variants(const Study& study, const std::vector<RunOutcome>& outcomes) {
  const auto figures = figures_of(outcomes, Prominence::headline);
  std::vector<bool> found(study.variants.size());
  for (const auto& rankings : rankings_of(outcomes)) {
    const auto summaries = summarize(study, outcomes, rankings, figures);
    for (std::size_t variant = 0; variant < found.size(); ++variant) {
      if (!summaries[variant].comparable) found[variant] = true;
    }
  }
  std::vector<std::string> names;
  for (std::size_t variant = 0; variant < found.size(); ++variant) {
    if (found[variant]) names.push_back(variant_title(study, variant));
  }
  return names;
}

std::vector<Grid> fold_grids(const std::vector<RunOutcome>& outcomes) {
  const auto figures = figures_of(outcomes, Prominence::headline);
  /// One text for all figures.
  const auto joined_figures = [&](const auto& text_of_figure) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < figures.size(); ++i) texts.push_back(text_of_figure(i));
    return joined(texts);
  };
  Grid grid;
  grid.heads = {figures.empty() ? "ranking"
                                : joined_figures([&](std::size_t i) { return figures[i].label; })};
  for (const auto& outcome : outcomes) grid.heads.push_back("fold " + text_of(outcome.run.fold));
  const auto done = static_cast<std::size_t>(std::count_if(
      outcomes.begin(), outcomes.end(), [](const RunOutcome& outcome) { return !outcome.results.empty(); }));
  grid.heads.push_back(done == outcomes.size() ? "mean" : "mean of " + std::to_string(done));
  grid.heads.emplace_back("deviation");
  for (const auto& rankings : rankings_of(outcomes)) {
    const auto title = rankings_title(rankings, outcomes);
    std::vector<std::string> row = {title.empty() ? "with descriptors" : title};
    std::vector<std::vector<double>> values(figures.size());
    for (const auto& outcome : outcomes) {
      const auto* scores = scores_of(outcome, rankings);
      if (scores == nullptr) {
        row.push_back(state_text(outcome));
        continue;
      }
      row.push_back(joined_figures([&](std::size_t i) {
        const double value = scores->value(figures[i].name);
        if (!std::isnan(value)) values[i].push_back(value);
        return results::figure_cell(figures[i].kind, value);
      }));
    }
    const bool some = done > 0;
    const bool several = done > 1;
    row.push_back(some ? joined_figures([&](std::size_t i) {
      const auto spread = mean_deviation(values[i]);
      return spread.count == 0 ? std::string("-") : results::figure_cell(figures[i].kind, spread.mean);
    })
                       : "-");
    row.push_back(several ? joined_figures([&](std::size_t i) {
      const auto spread = mean_deviation(values[i]);
      return spread.deviation ? results::figure_cell(figures[i].kind, *spread.deviation) : std::string("-");
    })
                          : "-");
    grid.rows.push_back(std::move(row));
  }
  return {grid};
}

void write_study_csv(std::ostream& out, const Study& study, const std::vector<RunOutcome>& outcomes) {
  const auto figures = figures_of(outcomes, Prominence::detail);
  std::vector<std::string> heads = {"row", "ranking", "variant", "seed", "fold", "tested_on", "state"};
  for (const auto& figure : figures) heads.insert(heads.end(), {figure.name, figure.name + "_deviation"});
  heads.insert(heads.end(), {"runs", "queries", "gallery", "run"});
  write_csv_row(out, heads);
  for (const auto& rankings : rankings_of(outcomes)) {
    const std::string kind = rankings.kind == RankingKind::final ? "final" : "descriptors";
    for (const auto& outcome : outcomes) {
      const auto& run = outcome.run;
      const auto* scores = scores_of(outcome, rankings);
      std::vector<std::string> row = {"run",
                                      kind,
                                      study.variants[run.variant].name,
                                      text_of(run.seed),
                                      text_of(run.fold),
                                      rankings.test_set,
                                      state_text(outcome)};
      for (const auto& figure : figures) {
        const double value = scores == nullptr ? std::nan("") : scores->value(figure.name);
        row.insert(row.end(), {std::isnan(value) ? "" : text::shortest_text(value), ""});
      }
      row.emplace_back(scores == nullptr ? "" : "1");
      row.push_back(scores == nullptr ? "" : std::to_string(scores->valid_queries));
      row.push_back(scores == nullptr ? "" : std::to_string(scores->gallery));
      row.push_back(run.folder.string());
      write_csv_row(out, row);
    }
    const auto write = [&](const char* what, std::size_t variant, const std::vector<MeanDeviation>& spreads) {
      std::size_t runs = 0;
      std::vector<std::string> row = {what, kind, study.variants[variant].name, "", "", rankings.test_set,
                                      ""};
      for (const auto& spread : spreads) {
        runs = std::max(runs, spread.count);
        row.insert(row.end(),
                   {spread.count == 0 ? "" : text::shortest_text(spread.mean), exact(spread.deviation)});
      }
      row.insert(row.end(), {std::to_string(runs), "", "", ""});
      if (runs > 0) write_csv_row(out, row);
    };
    const auto summaries = summarize(study, outcomes, rankings, figures);
    for (std::size_t variant = 0; variant < summaries.size(); ++variant)
      write("mean", variant, summaries[variant].figures);
    for (std::size_t variant = 1; variant < summaries.size(); ++variant) {
      write("difference", variant, summaries[variant].differences);
    }
  }
}

}  // namespace kindred::study
