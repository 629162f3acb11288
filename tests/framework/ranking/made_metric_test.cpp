#include "ranking/made_metric.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "ranking/evaluation.h"
#include "recipe/recipe.h"
#include "results/evaluation_file.h"
#include "results/evaluation_text.h"
#include "study/summary.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::ranking;
using namespace kindred::test;

namespace {

/// What a plugin might bring: the mean rank of the last right image, of which less is better, the largest
/// distance of two images of one person, a table and a curve.
class LastRank : public Metric {
 public:
  struct Params {
    std::string spoiled;
  };
  static Schema<Params> schema() {
    Schema<Params> s("How far one has to read.");
    s.add("spoiled", &Params::spoiled, "what is wrong with the result");
    return s;
  }
  static constexpr int default_order = 50;
  LastRank(const Params& params, const Context&) : spoiled_(params.spoiled) {}
  [[nodiscard]] std::vector<FigureInfo> figures() const override {
    return {{.name = spoiled_ == "name"    ? "last rank"
                     : spoiled_ == "bytes" ? "last_\xE9"
                                           : "last_rank",
             .label = spoiled_ == "label" ? "Last\nrank" : "Last rank",
             .doc = "mean rank of the last correct image",
             .kind = FigureKind::number,
             .higher_is_better = false,
             .prominence = Prominence::headline}};
  }
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>& queries) const override {
    MetricResult result{{0}, {{"last", "last correct image at rank", FigureKind::number, {}}}, {}};
    for (const auto& query : queries) {
      result.per_query[0].values.push_back(static_cast<double>(query.ranks.back()));
      result.values[0] += result.per_query[0].values.back() / static_cast<double>(queries.size());
    }
    result.tables = {{"spread", "Spread", "", {{"most", "the most", FigureKind::number, {4}}}, std::nullopt}};
    if (spoiled_ == "values") result.values.push_back(1);
    if (spoiled_ == "cautions") result.cautions = {"", ""};
    if (spoiled_ == "row cautions") result.tables[0].cautions = {"", ""};
    if (spoiled_ == "caution") result.cautions = {"of two queries"};
    if (spoiled_ == "column") result.per_query[0].values.pop_back();
    if (spoiled_ == "head") result.per_query[0].name = "matches";
    if (spoiled_ == "table") result.tables[0].name = "matches";
    if (spoiled_ == "rows")
      result.tables[0].columns.push_back({"least", "the least", FigureKind::number, {}});
    if (spoiled_ == "plot") result.tables[0].plot = MetricTable::Plot{"most", "least", false};
    return result;
  }

 private:
  std::string spoiled_;
};

const Catalog& catalog() {
  static const Catalog made = [] {
    Catalog one;
    one.merge(tiny_catalog(), "tiny", "tiny.so");
    Catalog other;
    other.add<LastRank>("last_rank");
    one.merge(std::move(other), "readers", "readers.so");
    return one;
  }();
  return made;
}

recipe::Plan plan_of(const std::vector<std::string>& overrides = {}) {
  return recipe::make_plan(recipe::parse_recipe(tiny_recipe, "tiny.toml", overrides), catalog());
}

Sample person(std::int64_t identity, const std::string& path) {
  return {path, identity, unknown_camera, "", Split::query};
}

/// Right images at ranks 1 and 4 of the first query, 2 of the second; nobody knows the third.
results::Evaluation evaluation_of(const recipe::EvaluationPlan& plan) {
  const std::vector<Sample> query{person(1, "a"), person(2, "b"), person(unlabeled_identity, "c")};
  const std::vector<Sample> gallery{person(1, "d"), person(3, "e"), person(2, "f"), person(1, "g")};
  const auto distances =
      torch::tensor({{0.1F, 0.2F, 0.3F, 0.4F}, {0.3F, 0.1F, 0.2F, 0.4F}, {0.1F, 0.2F, 0.3F, 0.4F}});
  return evaluate(
      query, gallery, [&](std::int64_t first, std::int64_t last) { return distances.slice(0, first, last); },
      DistanceScale::other, plan);
}

std::vector<std::string> names_of(const std::vector<MadeMetric>& metrics) {
  std::vector<std::string> names;
  for (const auto& metric : metrics) {
    for (const auto& figure : metric.figures) names.push_back(figure.name);
  }
  return names;
}

using Names = std::vector<std::string>;

std::string refusal(const std::string& spoiled) {
  try {
    static_cast<void>(evaluation_of(plan_of({"metric.last_rank.spoiled=" + spoiled})));
  } catch (const ComponentError& error) {
    return error.what();
  }
  return "";
}

bool holds(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("'" << part << "' is not in: " << text);
  return found;
}

}  // namespace

TEST_CASE("a metric that a plugin brings is shown wherever figures are, without a word in the recipe") {
  const auto plan = plan_of();
  const auto evaluation = evaluation_of(plan);
  CHECK(evaluation.find("last_rank")->value == 3);

  const auto text = results::evaluation_text(evaluation);
  CHECK(holds(text, "first 1.5\nLast rank 3\n"));
  CHECK(holds(text, "Spread:\n  THE MOST\n  4\n"));

  const TemporaryFolder folder;
  results::write_evaluation(folder / "run", evaluation);
  const auto json = nlohmann::json::parse(read_bytes(folder / "run/evaluation.json"));
  CHECK(json["figures"]["last_rank"]["value"] == 3);
  CHECK(json["figures"]["last_rank"]["better"] == "lower");
  CHECK(json["tables"]["spread"]["rows"][0]["most"] == 4);
  CHECK(read_bytes(folder / "run/per_query.csv") ==
        "path,identity,camera,matches,ap,last\na,1,,2,0.750000,4\nb,2,,1,0.500000,2\nc,,,,,\n");

  study::Study study;
  study.variants.resize(1);
  study::RunOutcome outcome;
  outcome.run.plan = plan;
  outcome.results = {study::RunScores{evaluation}};
  CHECK(study::variant_grids(study, {outcome})[0].markdown() ==
        "| variant | mAP | Rank-1 | Last rank |\n| --- | --- | --- | --- |\n"
        "| the recipe | 62.50 (1) | 50.00 (1) | 3 (1) |\n");
}

TEST_CASE("figures stand in the order of the metrics, and those of a named entry have its name before them") {
  CHECK(names_of(create_metrics(plan_of())) == Names{"mAP", "rank1", "first", "last_rank"});
  CHECK(names_of(create_metrics(plan_of({"metric=[{type='last_rank'},{type='tiny'},"
                                         "{type='last_rank',name='far'}]"}))) ==
        Names{"last_rank", "mAP", "rank1", "first", "far.last_rank"});
  const auto evaluation =
      evaluation_of(plan_of({"metric=[{type='last_rank'},{type='last_rank',name='far'}]"}));
  CHECK(evaluation.figures[1].info.label == "far Last rank");
  CHECK(evaluation.figures[1].metric == "far");
  CHECK(evaluation.per_query.columns[1].name == "far.last");
  CHECK(evaluation.tables[1].name == "far.spread");
}

TEST_CASE("two figures of one name are an error at the second entry") {
  try {
    static_cast<void>(create_metrics(plan_of({"metric=[{type='last_rank'},{type='last_rank'}]"})));
    FAIL("nothing was thrown");
  } catch (const RecipeError& error) {
    CHECK(holds(error.what(),
                "metric 'last_rank' gives a figure 'last_rank', and so does 'last_rank' ahead of it"));
    CHECK(holds(error.what(), "give one of them a 'name'"));
  }
}

TEST_CASE("the best is by any figure, and one that is not there is an error with those that are") {
  CHECK(best_figure(plan_of()).name == "mAP");
  const auto last = best_figure(plan_of({"train.best_by=last_rank"}));
  CHECK_FALSE(last.higher_is_better);
  CHECK_THROWS_WITH_AS(static_cast<void>(best_figure(plan_of({"train.best_by=mapp"}))),
                       "--set train.best_by=mapp: error: train.best_by: no metric of the recipe gives a "
                       "figure 'mapp'; choose 'mAP', 'rank1', 'first' and 'last_rank'",
                       RecipeError);
}

TEST_CASE("what a metric hands back is checked, and its name is in the error") {
  CHECK(refusal("").empty());
  CHECK(holds(refusal("name"), "metric/last_rank: error: calls a figure 'last rank'"));
  CHECK(holds(refusal("bytes"), "metric/last_rank: error: calls a figure 'last_\\xE9'; a name is UTF-8"));
  CHECK(holds(refusal("label"),
              "metric/last_rank: error: gives the figure 'last_rank' the text "
              "'Last\\x0Arank', which is not one line in UTF-8"));
  CHECK(holds(refusal("values"), "metric/last_rank: error: gives 2 values for 1 figures"));
  CHECK(holds(refusal("column"), "gives 1 values in the column 'last' of per_query, which has 2 rows"));
  CHECK(holds(refusal("head"), "gives a column of per_query 'matches', and there is one already"));
  CHECK(holds(refusal("table"), "gives a table 'matches', and there is one already"));
  CHECK(
      holds(refusal("rows"), "gives 0 values in the column 'least' of the table 'spread', which has 1 rows"));
  CHECK(holds(refusal("plot"), "the table 'spread' is to be drawn by columns that it does not have"));
}

TEST_CASE("a metric's cautions reach its figures, and other numbers of them are refused") {
  const auto scores = evaluation_of(plan_of({"metric.last_rank.spoiled=caution"}));
  REQUIRE(scores.find("last_rank") != nullptr);
  CHECK(scores.find("last_rank")->caution == "of two queries");
  CHECK(holds(refusal("cautions"), "gives 2 cautions for its values, which are 1"));
  CHECK(
      holds(refusal("\"row cautions\""), "gives 2 cautions for the rows of the table 'spread', which are 1"));
}
