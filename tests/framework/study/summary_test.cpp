#include "study/summary.h"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "kindred/text/csv.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::study;
using namespace kindred::test;

namespace {

Study study_of(const std::vector<std::string>& arms) {
  Study study;
  for (const auto& name : arms) study.arms.push_back({name, {}, {}});
  return study;
}

CellOutcome outcome(std::size_t arm, std::optional<std::int64_t> seed, std::optional<std::int64_t> fold,
                    double mean_ap, double rank1) {
  CellOutcome outcome;
  outcome.cell.arm = arm;
  outcome.cell.seed = seed;
  outcome.cell.fold = fold;
  outcome.cell.folder = "a" + std::to_string(arm);
  outcome.result = CellResult{"", {mean_ap, rank1, 0.25, 10, 90}, std::nullopt};
  return outcome;
}

CellOutcome without_result(std::size_t arm, std::int64_t seed, const std::string& failure) {
  auto made = outcome(arm, seed, std::nullopt, 0, 0);
  made.result.reset();
  made.failure = failure;
  return made;
}

/// mAP 50, 52, 57 of the first arm; 51, 55 of the second, whose third run failed.
std::vector<CellOutcome> three_seeds() {
  return {outcome(0, 1, std::nullopt, 0.50, 0.60), outcome(1, 1, std::nullopt, 0.51, 0.70),
          outcome(0, 2, std::nullopt, 0.52, 0.60), outcome(1, 2, std::nullopt, 0.55, 0.72),
          outcome(0, 3, std::nullopt, 0.57, 0.60), without_result(1, 3, "the loss is not finite")};
}

TEST_CASE("a spread is the mean and the standard deviation of a sample") {
  const auto spread = spread_of({2, 4, 4, 4, 5, 5, 7, 9});
  CHECK(spread.count == 8);
  CHECK(spread.mean == 5);
  CHECK(*spread.deviation == doctest::Approx(std::sqrt(32.0 / 7)));
  CHECK(spread_of({3}).mean == 3);
  CHECK_FALSE(spread_of({3}).deviation);
  CHECK(spread_of({}).count == 0);
}

TEST_CASE("arms are summed up over their runs, and compared over the runs that both have") {
  const auto summaries = summarize(study_of({"off", "on"}), three_seeds(), RankingKind::final);
  REQUIRE(summaries.size() == 2);
  CHECK(summaries[0].mean_ap.count == 3);
  CHECK(summaries[0].mean_ap.mean == doctest::Approx(0.53));
  CHECK(*summaries[0].mean_ap.deviation == doctest::Approx(std::sqrt(0.0013)));
  CHECK(summaries[0].mean_ap_difference.count == 0);
  CHECK(summaries[1].mean_ap.mean == doctest::Approx(0.53));
  // 1 and 3 points with the same seed, though the means are alike.
  CHECK(summaries[1].mean_ap_difference.count == 2);
  CHECK(summaries[1].mean_ap_difference.mean == doctest::Approx(0.02));
  CHECK(*summaries[1].mean_ap_difference.deviation == doctest::Approx(std::sqrt(0.0002)));
  CHECK(summaries[1].rank1_difference.mean == doctest::Approx(0.11));
}

TEST_CASE("a difference pairs seeds and folds, never one with another") {
  const std::vector<CellOutcome> outcomes = {outcome(0, 1, 1, 0.1, 0.1), outcome(0, 2, 2, 0.5, 0.5),
                                             outcome(1, 1, 2, 0.9, 0.9), outcome(1, 2, 2, 0.7, 0.7)};
  const auto summaries = summarize(study_of({"a", "b"}), outcomes, RankingKind::final);
  CHECK(summaries[1].mean_ap.count == 2);
  CHECK(summaries[1].mean_ap_difference.count == 1);
  CHECK(summaries[1].mean_ap_difference.mean == doctest::Approx(0.2));
}

TEST_CASE("the table of arms shows mean, spread and number of runs, and honest differences") {
  const auto grids = arm_grids(study_of({"off", "on"}), three_seeds());
  REQUIRE(grids.size() == 1);
  CHECK(grids[0].markdown() ==
        "| arm | mAP | Rank-1 | mAP difference | Rank-1 difference |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| off | 53.00 ± 3.61 (3) | 60.00 ± 0.00 (3) |  |  |\n"
        "| on | 53.00 ± 2.83 (2) | 71.00 ± 1.41 (2) | +2.00 ± 1.41 (2) | +11.00 ± 1.41 (2) |\n");
  CHECK(grids[0].text().find("on   53.00 ± 2.83 (2)  71.00 ± 1.41 (2)  +2.00 ± 1.41 (2)") !=
        std::string::npos);
}

TEST_CASE("an arm without any run that ended has no figures, and a single run no spread") {
  const std::vector<CellOutcome> outcomes = {outcome(0, 1, std::nullopt, 0.5, 0.6),
                                             without_result(1, 1, "no")};
  CHECK(arm_grids(study_of({"off", "on"}), outcomes)[0].markdown().find(
            "| off | 50.00 (1) | 60.00 (1) |  |  |\n| on | - | - | - | - |\n") != std::string::npos);
}

TEST_CASE("folds are columns, with the mean and the standard deviation over them") {
  std::vector<CellOutcome> outcomes = {
      outcome(0, std::nullopt, 1, 0.823, 0.812), outcome(0, std::nullopt, 2, 0.825, 0.799),
      outcome(0, std::nullopt, 3, 0.814, 0.795), outcome(0, std::nullopt, 4, 0.818, 0.804)};
  const auto study = study_of({""});
  CHECK(fold_grids(outcomes)[0].markdown() ==
        "| mAP/Rank-1 | split1 | split2 | split3 | split4 | mean | deviation |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| with descriptors | 82.30/81.20 | 82.50/79.90 | 81.40/79.50 | 81.80/80.40 | 82.00/80.25 | "
        "0.50/0.73 |\n");
  outcomes[1].result.reset();
  outcomes[1].failure = "no";
  outcomes[3].result.reset();
  CHECK(fold_grids(outcomes)[0].markdown().find(
            "| split4 | mean of 2 | deviation |\n| --- | --- | --- | --- | --- | --- | --- |\n"
            "| with descriptors | 82.30/81.20 | failed | 81.40/79.50 | not done | 81.85/80.35 | ") !=
        std::string::npos);
}

TEST_CASE("with post-processors there are figures with and without them") {
  static const Catalog catalog = tiny_catalog();
  std::vector<CellOutcome> outcomes = {outcome(0, 1, 1, 0.8, 0.9), outcome(1, 1, 1, 0.7, 0.8)};
  for (auto& made : outcomes) made.cell.plan = tiny_plan(catalog, {"evaluate.map_depth=200"});
  outcomes[1].cell.plan.ranking.by_domain = true;
  outcomes[1].result->by_descriptors_alone = CellScores{0.6, 0.7, 0.2, 10, 90};
  const auto grids = arm_grids(study_of({"plain", "post"}), outcomes);
  REQUIRE(grids.size() == 2);
  CHECK(grids[0].markdown() ==
        "after post-processing:\n\n"
        "| arm | mAP@200 | Rank-1 | mAP@200 difference | Rank-1 difference |\n"
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

TEST_CASE("the file for programs has every run, every mean and every difference") {
  std::ostringstream out;
  write_study_csv(out, study_of({"off", "on"}), three_seeds());
  const auto table = CsvTable::parse(out.str(), "study.csv");
  std::vector<std::string> kinds;
  for (const auto& row : table.rows()) kinds.push_back(row.cells[table.column("row")]);
  CHECK(kinds == std::vector<std::string>{"cell", "cell", "cell", "cell", "cell", "cell", "mean", "mean",
                                          "difference"});
  const auto cell = [&](std::size_t row, const char* column) {
    return table.rows()[row].cells[table.column(column)];
  };
  CHECK(cell(1, "arm") == "on");
  CHECK(cell(1, "seed") == "1");
  CHECK(cell(1, "fold").empty());
  CHECK(cell(1, "state") == "done");
  CHECK(cell(1, "mAP") == "0.51");
  CHECK(cell(1, "rank1") == "0.7");
  CHECK(cell(1, "mINP") == "0.25");
  CHECK(cell(1, "queries") == "10");
  CHECK(cell(1, "gallery") == "90");
  CHECK(cell(1, "run") == "a1");
  CHECK(cell(5, "state") == "failed");
  CHECK(cell(5, "mAP").empty());
  CHECK(cell(7, "runs") == "2");
  CHECK(std::stod(cell(7, "mAP")) == doctest::Approx(0.53));
  CHECK(std::stod(cell(8, "mAP_deviation")) == doctest::Approx(std::sqrt(0.0002)));
}

}  // namespace
