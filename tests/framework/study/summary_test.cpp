#include "study/summary.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "kindred/text/csv.h"
#include "made_evaluation.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::study;
using namespace kindred::test;

namespace {

results::Evaluation scores_of(double mean_ap, double rank1) {
  auto scores = made_evaluation(mean_ap, rank1);
  scores.valid_queries = 10;
  scores.gallery = 90;
  return scores;
}

Study study_of(const std::vector<std::string>& variants) {
  Study study;
  for (const auto& name : variants) study.variants.push_back({name, {}, {}});
  return study;
}

RunOutcome outcome(std::size_t variant, std::optional<std::int64_t> seed, std::optional<std::int64_t> fold,
                   double mean_ap, double rank1) {
  RunOutcome outcome;
  outcome.run.variant = variant;
  outcome.run.seed = seed;
  outcome.run.fold = fold;
  outcome.run.folder = "a" + std::to_string(variant);
  outcome.results = {RunScores{scores_of(mean_ap, rank1)}};
  return outcome;
}

RunOutcome without_result(std::size_t variant, std::int64_t seed, const std::string& failure) {
  auto made = outcome(variant, seed, std::nullopt, 0, 0);
  made.results.clear();
  made.failure = failure;
  return made;
}

/// mAP 50, 52, 57 of the first variant; 51, 55 of the second, whose third run failed.
std::vector<RunOutcome> three_seeds() {
  return {outcome(0, 1, std::nullopt, 0.50, 0.60), outcome(1, 1, std::nullopt, 0.51, 0.70),
          outcome(0, 2, std::nullopt, 0.52, 0.60), outcome(1, 2, std::nullopt, 0.55, 0.72),
          outcome(0, 3, std::nullopt, 0.57, 0.60), without_result(1, 3, "the loss is not finite")};
}

TEST_CASE("a spread is the mean and the standard deviation of a sample") {
  const auto spread = mean_deviation({2, 4, 4, 4, 5, 5, 7, 9});
  CHECK(spread.count == 8);
  CHECK(spread.mean == 5);
  CHECK(*spread.deviation == doctest::Approx(std::sqrt(32.0 / 7)));
  CHECK(mean_deviation({3}).mean == 3);
  CHECK_FALSE(mean_deviation({3}).deviation);
  CHECK(mean_deviation({}).count == 0);
}

TEST_CASE("variants are summed up over their runs, and compared over the runs that both have") {
  const auto figures = results::figures_of({&three_seeds()[0].results[0].scores}, Prominence::headline);
  const auto summaries = summarize(study_of({"off", "on"}), three_seeds(), {RankingKind::final, ""}, figures);
  REQUIRE(summaries.size() == 2);
  const auto& first = summaries[0].figures[0];  // mAP
  CHECK(first.count == 3);
  CHECK(first.mean == doctest::Approx(0.53));
  CHECK(*first.deviation == doctest::Approx(std::sqrt(0.0013)));
  CHECK(summaries[0].differences[0].count == 0);
  CHECK(summaries[1].figures[0].mean == doctest::Approx(0.53));
  // 1 and 3 points with the same seed, though the means are alike.
  CHECK(summaries[1].differences[0].count == 2);
  CHECK(summaries[1].differences[0].mean == doctest::Approx(0.02));
  CHECK(*summaries[1].differences[0].deviation == doctest::Approx(std::sqrt(0.0002)));
  CHECK(summaries[1].differences[1].mean == doctest::Approx(0.11));  // Rank-1
}

TEST_CASE("a difference pairs seeds and folds, never one with another") {
  const std::vector<RunOutcome> outcomes = {outcome(0, 1, 1, 0.1, 0.1), outcome(0, 2, 2, 0.5, 0.5),
                                            outcome(1, 1, 2, 0.9, 0.9), outcome(1, 2, 2, 0.7, 0.7)};
  const auto summaries = summarize(study_of({"a", "b"}), outcomes, {RankingKind::final, ""},
                                   results::figures_of({&outcomes[0].results[0].scores}));
  CHECK(summaries[1].figures[0].count == 2);
  CHECK(summaries[1].differences[0].count == 1);
  CHECK(summaries[1].differences[0].mean == doctest::Approx(0.2));
}

TEST_CASE("scores that are not comparable are not subtracted, and the variant is named") {
  auto outcomes = three_seeds();
  outcomes[1].results[0].scores.images_sha256 = "of others";
  const auto study = study_of({"off", "on"});
  const auto figures = results::figures_of({&outcomes[0].results[0].scores}, Prominence::headline);
  const auto summaries = summarize(study, outcomes, {RankingKind::final, ""}, figures);
  CHECK(summaries[1].figures[0].count == 2);
  CHECK(summaries[1].differences[0].count == 1);
  CHECK(summaries[1].differences[0].mean == doctest::Approx(0.03));
  CHECK(incomparable_variants(study, outcomes) == std::vector<std::string>{"on"});
  CHECK(incomparable_variants(study, three_seeds()).empty());
}

TEST_CASE("the table of variants shows mean, spread and number of runs, and honest differences") {
  const auto grids = variant_grids(study_of({"off", "on"}), three_seeds());
  REQUIRE(grids.size() == 1);
  CHECK(grids[0].markdown() ==
        "| variant | mAP | Rank-1 | mAP difference | Rank-1 difference |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| off | 53.00 ± 3.61 (3) | 60.00 ± 0.00 (3) |  |  |\n"
        "| on | 53.00 ± 2.83 (2) | 71.00 ± 1.41 (2) | +2.00 ± 1.41 (2) | +11.00 ± 1.41 (2) |\n");
  CHECK(grids[0].text().find("on       53.00 ± 2.83 (2)  71.00 ± 1.41 (2)  +2.00 ± 1.41 (2)") !=
        std::string::npos);
}

TEST_CASE("a variant without any run that ended has no figures, and a single run no spread") {
  const std::vector<RunOutcome> outcomes = {outcome(0, 1, std::nullopt, 0.5, 0.6),
                                            without_result(1, 1, "no")};
  CHECK(variant_grids(study_of({"off", "on"}), outcomes)[0].markdown().find(
            "| off | 50.00 (1) | 60.00 (1) |  |  |\n| on | - | - | - | - |\n") != std::string::npos);
}

TEST_CASE("folds are columns, with the mean and the standard deviation over them") {
  std::vector<RunOutcome> outcomes = {
      outcome(0, std::nullopt, 1, 0.823, 0.812), outcome(0, std::nullopt, 2, 0.825, 0.799),
      outcome(0, std::nullopt, 3, 0.814, 0.795), outcome(0, std::nullopt, 4, 0.818, 0.804)};
  const auto study = study_of({""});
  CHECK(fold_grids(outcomes)[0].markdown() ==
        "| mAP/Rank-1 | fold 1 | fold 2 | fold 3 | fold 4 | mean | deviation |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| with descriptors | 82.30/81.20 | 82.50/79.90 | 81.40/79.50 | 81.80/80.40 | 82.00/80.25 | "
        "0.50/0.73 |\n");
  outcomes[1].results.clear();
  outcomes[1].failure = "no";
  outcomes[3].results.clear();
  CHECK(fold_grids(outcomes)[0].markdown().find(
            "| fold 4 | mean of 2 | deviation |\n| --- | --- | --- | --- | --- | --- | --- |\n"
            "| with descriptors | 82.30/81.20 | failed | 81.40/79.50 | not done | 81.85/80.35 | ") !=
        std::string::npos);
}

TEST_CASE("with post-processors there are figures with and without them") {
  static const Catalog catalog = tiny_catalog();
  std::vector<RunOutcome> outcomes = {outcome(0, 1, 1, 0.8, 0.9), outcome(1, 1, 1, 0.7, 0.8)};
  for (auto& made : outcomes) made.run.plan = tiny_plan(catalog);
  outcomes[1].run.plan.ranking.by_domain = true;
  outcomes[1].results[0].by_descriptors_alone = scores_of(0.6, 0.7);
  const auto grids = variant_grids(study_of({"plain", "post"}), outcomes);
  REQUIRE(grids.size() == 2);
  CHECK(grids[0].markdown() ==
        "after post-processing:\n\n"
        "| variant | mAP | Rank-1 | mAP difference | Rank-1 difference |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| plain | 80.00 (1) | 90.00 (1) |  |  |\n"
        "| post | 70.00 (1) | 80.00 (1) | -10.00 (1) | -10.00 (1) |\n");
  CHECK(grids[1].markdown().find("with descriptors only:\n") == 0);
  CHECK(grids[1].markdown().find("| post | 60.00 (1) | 70.00 (1) | -20.00 (1) | -20.00 (1) |") !=
        std::string::npos);
  const auto folds = fold_grids({outcomes[1]})[0].markdown();
  CHECK(folds.find("| after post-processing | 70.00/80.00 |") != std::string::npos);
  CHECK(folds.find("| with descriptors only | 60.00/70.00 |") != std::string::npos);
}

TEST_CASE("a figure that only some runs have is compared among those, in a column of its own") {
  std::vector<RunOutcome> outcomes = {outcome(0, 1, std::nullopt, 0.5, 0.6),
                                      outcome(1, 1, std::nullopt, 0.4, 0.7)};
  outcomes[1].results[0].scores.figures[0].info.name = "mAP@200";
  outcomes[1].results[0].scores.figures[0].info.label = "mAP@200";
  CHECK(variant_grids(study_of({"whole", "deep"}), outcomes)[0].markdown() ==
        "| variant | mAP | Rank-1 | mAP@200 | mAP difference | Rank-1 difference | mAP@200 difference |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| whole | 50.00 (1) | 60.00 (1) | - |  |  |  |\n"
        "| deep | - | 70.00 (1) | 40.00 (1) | - | +10.00 (1) | - |\n");
}

TEST_CASE("the file for programs has every run, every mean and every difference") {
  std::ostringstream out;
  write_study_csv(out, study_of({"off", "on"}), three_seeds());
  const auto table = CsvTable::parse(out.str(), "study.csv");
  std::vector<std::string> kinds;
  for (const auto& row : table.rows()) kinds.push_back(row.cells[table.column("row")]);
  CHECK(kinds ==
        std::vector<std::string>{"run", "run", "run", "run", "run", "run", "mean", "mean", "difference"});
  const auto run = [&](std::size_t row, const char* column) {
    return table.rows()[row].cells[table.column(column)];
  };
  CHECK(run(1, "variant") == "on");
  CHECK(run(1, "seed") == "1");
  CHECK(run(1, "fold").empty());
  CHECK(run(1, "state") == "done");
  CHECK(run(1, "mAP") == "0.51");
  CHECK(run(1, "rank1") == "0.7");
  CHECK(run(1, "score") == "0.605");
  CHECK(run(1, "AUC") == "0.9");
  CHECK(run(1, "mAP_deviation").empty());
  CHECK(run(1, "queries") == "10");
  CHECK(run(1, "gallery") == "90");
  CHECK(run(1, "run") == "a1");
  CHECK(run(5, "state") == "failed");
  CHECK(run(5, "mAP").empty());
  CHECK(run(7, "runs") == "2");
  CHECK(std::stod(run(7, "mAP")) == doctest::Approx(0.53));
  CHECK(std::stod(run(8, "mAP_deviation")) == doctest::Approx(std::sqrt(0.0002)));
}

/// Two variants of a recipe with two data sets: trained on a alone, and on both by shares.
std::vector<RunOutcome> two_test_sets() {
  static const Catalog catalog = tiny_catalog();
  const auto made = [&](std::size_t variant, const std::string& share_of_b, double on_a, double on_b) {
    RunOutcome outcome;
    outcome.run.variant = variant;
    outcome.run.folder = "v" + std::to_string(variant);
    outcome.run.plan =
        tiny_plan(catalog, {"dataset=[{type = 'tiny', name = 'a', share = 3}, {type = 'tiny', name = 'b', "
                            "share = " +
                            share_of_b + "}]"});
    outcome.results = {{scores_of(on_a, on_a + 0.1), std::nullopt, "a"},
                       {scores_of(on_b, on_b + 0.1), std::nullopt, "b"}};
    return outcome;
  };
  return {made(0, "0", 0.5, 0.3), made(1, "1", 0.25, 0.6)};
}

TEST_CASE(
    "of several test sets a table shows what is trained on by what is tested on, and each has its own") {
  const auto grids = variant_grids(study_of({"alone", "both"}), two_test_sets());
  REQUIRE(grids.size() == 3);
  CHECK(grids[0].markdown() ==
        "trained on x tested on:\n\n"
        "| variant | trained on | a: mAP/Rank-1 | b: mAP/Rank-1 |\n"
        "| --- | --- | --- | --- |\n"
        "| alone | a | 50.00 (1) / 60.00 (1) | 30.00 (1) / 40.00 (1) |\n"
        "| both | a 75 %, b 25 % | 25.00 (1) / 35.00 (1) | 60.00 (1) / 70.00 (1) |\n");
  CHECK(grids[1].title == "tested on a");
  CHECK(grids[2].markdown() ==
        "tested on b:\n\n"
        "| variant | mAP | Rank-1 | mAP difference | Rank-1 difference |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| alone | 30.00 (1) | 40.00 (1) |  |  |\n"
        "| both | 60.00 (1) | 70.00 (1) | +30.00 (1) | +30.00 (1) |\n");
}

TEST_CASE("a test set of which no run has a result yet is in the table all the same") {
  auto outcomes = two_test_sets();
  outcomes[0].results.pop_back();
  outcomes[1].results.clear();
  CHECK(variant_grids(study_of({"alone", "both"}), outcomes)[0].markdown().find(
            "| both | a 75 %, b 25 % | - / - | - / - |") != std::string::npos);
}

TEST_CASE("the file for programs says what each row is tested on") {
  std::ostringstream out;
  write_study_csv(out, study_of({"alone", "both"}), two_test_sets());
  const auto table = CsvTable::parse(out.str(), "study.csv");
  std::vector<std::string> rows;
  for (const auto& row : table.rows()) {
    rows.push_back(row.cells[table.column("row")] + " " + row.cells[table.column("variant")] + " " +
                   row.cells[table.column("tested_on")] + " " + row.cells[table.column("mAP")]);
  }
  CHECK(rows == std::vector<std::string>{"run alone a 0.5", "run both a 0.25", "mean alone a 0.5",
                                         "mean both a 0.25", "difference both a -0.25", "run alone b 0.3",
                                         "run both b 0.6", "mean alone b 0.3", "mean both b 0.6",
                                         "difference both b 0.3"});
}

TEST_CASE("folds of several test sets have a row for each") {
  auto outcomes = two_test_sets();
  outcomes.pop_back();
  outcomes[0].run.fold = 1;
  const auto text = fold_grids(outcomes)[0].markdown();
  CHECK(text.find("| tested on a | 50.00/60.00 |") != std::string::npos);
  CHECK(text.find("| tested on b | 30.00/40.00 |") != std::string::npos);
}

}  // namespace
