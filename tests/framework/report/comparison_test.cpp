#include "report/comparison.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "made_run.h"
#include "markup_check.h"

namespace kindred::test {
using namespace kindred::report;  // NOLINT
namespace {

struct ComparedPage {
  ReportOutcome outcome;
  std::string page;
};

ComparedPage compare(const TemporaryFolder& folder, const std::string& first, const std::string& second,
                     const ReportOptions& options = {}) {
  const auto catalog = nasty_catalog();
  ComparedPage compared;
  compared.outcome = write_comparison(folder / first, folder / second, options, catalog);
  compared.page = read_bytes(compared.outcome.file);
  CHECK(markup_error(compared.page) == "");
  return compared;
}

/// A run of which the first query has an AP of 50 % instead of 25 %, the second 5 % instead of 75 %.
void write_other_run(const TemporaryFolder& folder, const std::string& at) {
  write_run(folder, at);
  folder.write(at + "pipeline.toml", read_bytes(folder / (at + "pipeline.toml")) + "[train]\nepochs = 9\n");
  auto scores = scores_of_run(0.6, 0.5);
  scores.per_query.columns[0].values = {0.5, 0.05};
  scores.parts.domains[0].values = {0.5, 0.5};
  results::write_evaluation(folder / (at + "ranking"), scores);
}

TEST_CASE("two runs are compared by figure, part, query, epoch, stage and key") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_other_run(folder, "b/");
  const auto [outcome, page] = compare(folder, "a", "b");
  CHECK(outcome.file == folder / "b/compared_with_a.html");
  CHECK(outcome.bytes == page.size());
  CHECK(outcome.rankings == 4);  // two queries of two runs
  CHECK(has_row(page, "mAP", "50.00"));
  CHECK(contains(page, "data-label=\"b\">60.00</td>"));
  CHECK(contains(page, "data-label=\"Change\">+10.00</td>"));
  CHECK(contains(page, "<span class=\"loss\">\u25bc \u221225.00</span>"));  // Rank-1
  CHECK(has_row(page, "&lt;day&gt;", "25.00"));
  CHECK(contains(page, "+25.00"));
  CHECK(contains(page, "By AP, of 2 queries 1 are better in b, 1 are worse, and 0 are the same."));
  CHECK(contains(page, "Lost most (first a, then b)"));
  // The loser first, each run by its own figures.
  CHECK(page.find("a: AP 75.00\u00a0%") < page.find("b: AP 5.00\u00a0%"));
  CHECK(page.find("b: AP 5.00\u00a0%") < page.find("a: AP 25.00\u00a0%"));
  CHECK(contains(page, "Loss by epoch"));
  CHECK(has_row(page, "model", "4:00"));
  CHECK(has_row(page, "train.epochs", "-"));
}

TEST_CASE("runs that were evaluated in different ways are shown, but not subtracted") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_run(folder, "b/");
  auto scores = scores_of_run(0.9, 0.9);
  scores.cameras_known = false;
  results::write_evaluation(folder / "b/ranking", scores);
  const auto page = compare(folder, "a", "b").page;
  CHECK(contains(page, "These scores are not comparable"));
  CHECK(contains(page, ">90.00<"));
  CHECK_FALSE(contains(page, "+40.00"));
  CHECK(contains(page, "The recipes are the same."));
}

TEST_CASE("domains of one name that have other queries are shown, but not subtracted") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_other_run(folder, "b/");
  CHECK(contains(section(compare(folder, "a", "b").page, "parts"), "data-label=\"Change\">+25.00</td>"));
  auto scores = scores_of_run(0.6, 0.5);
  scores.parts.domains[0].values = {0.5, 0.5};
  scores.parts.domains[0].queries = 3;
  results::write_evaluation(folder / "b/ranking", scores);
  const auto parts = section(compare(folder, "a", "b").page, "parts");
  CHECK(has_row(parts, "&lt;day&gt;", "25.00"));
  CHECK_FALSE(contains(parts, "+25.00"));
  CHECK(contains(parts, "data-label=\"Queries\">1 \u2192 3</td>"));
}

TEST_CASE("figures that other settings leave other images for are shown, but not subtracted") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_run(folder, "b/");
  auto scores = scores_of_run(0.9, 0.9);
  SUBCASE("other images") {
    scores.images_sha256 = "of others";
  }
  SUBCASE("clothes") {
    scores.clothes = recipe::ClothesMode::changed;
  }
  SUBCASE("galleries with one image of each person") {
    scores.single_gallery_shot = 10;
  }
  SUBCASE("queries that find themselves") {
    scores.itself_ignored = !scores.itself_ignored;
  }
  results::write_evaluation(folder / "b/ranking", scores);
  const auto page = compare(folder, "a", "b").page;
  CHECK(contains(page, "These scores are not comparable"));
  CHECK(contains(page, ">90.00<"));
  CHECK_FALSE(contains(page, "+40.00"));
}

/// A run whose ranking on other images comes after the first one.
void write_run_of_two_test_sets(const TemporaryFolder& folder, const std::string& at, double mean_ap,
                                double on_others) {
  write_run(folder, at);
  folder.write(at + "pipeline.toml", read_bytes(folder / (at + "pipeline.toml")) +
                                         "[[stage]]\nname = \"elsewhere\"\ntype = \"rank\"\n");
  write_record(folder, at + "elsewhere", "rank", {{"features", {"features"}}}, {0.5, 2, 310});
  results::write_evaluation(folder / (at + "ranking"), scores_of_run(mean_ap, 0.75));
  auto others = scores_of_run(on_others, 0.75);
  others.images_sha256 = "of others";
  results::write_evaluation(folder / (at + "elsewhere"), others);
}

TEST_CASE("each test set of a run is compared with itself") {
  const TemporaryFolder folder;
  write_run_of_two_test_sets(folder, "a/", 0.5, 0.25);
  write_run_of_two_test_sets(folder, "b/", 0.625, 0.375);
  const auto page = compare(folder, "a", "b").page;
  CHECK(contains(page, "Final scores of ranking, shares in %"));
  CHECK(contains(page, "Final scores of elsewhere, shares in %"));
  const auto scores = section(page, "scores");
  CHECK(count_of(scores, "data-label=\"Change\">+12.50</td>") == 2);
  CHECK(contains(scores, ">62.50</td>"));
  CHECK(contains(scores, ">37.50</td>"));
  CHECK_FALSE(contains(page, "not comparable"));
}

TEST_CASE("a run of fewer test sets is compared on those that it has") {
  const TemporaryFolder folder;
  write_run_of_two_test_sets(folder, "a/", 0.5, 0.25);
  write_run(folder, "b/");
  auto scores = scores_of_run(0.625, 0.75);
  scores.per_query.columns[0].values = {0.5, 0.05};
  results::write_evaluation(folder / "b/ranking", scores);
  const auto page = compare(folder, "a", "b").page;
  CHECK(contains(page, "data-label=\"Change\">+12.50</td>"));
  CHECK_FALSE(contains(page, "not comparable"));
  CHECK(contains(page, "By AP, of 2 queries 1 are better in b"));
}

TEST_CASE("a run of more test sets is compared on those that the first one has") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_run_of_two_test_sets(folder, "b/", 0.625, 0.375);
  const auto page = compare(folder, "a", "b").page;
  CHECK(contains(page, "data-label=\"Change\">+12.50</td>"));
  CHECK_FALSE(contains(page, "not comparable"));
  const auto queries = section(page, "queries");
  CHECK(contains(queries, "By AP, of 2 queries"));
  CHECK(contains(queries, "Of stage ranking of a and of stage ranking of b."));
  CHECK(has_row(section(page, "parts"), "&lt;day&gt;", "25.00"));
}

/// Calls the images of a run as a recipe of several data sets does.
void put_among_others(const TemporaryFolder& folder, const std::string& at) {
  for (const auto* name : {"features/query.csv", "features/gallery.csv"}) {
    std::vector<Sample> images;
    file::SampleListReader list(folder / (at + name));
    for (Sample sample; list.next(sample);) {
      sample.path.insert(0, "set/");
      images.push_back(sample);
    }
    file::write_sample_list(folder / (at + name), images);
  }
  auto scores = scores_of_run();
  for (auto& query : scores.per_query.queries) query.path.insert(0, "set/");
  results::write_evaluation(folder / (at + "ranking"), scores);
  std::vector<results::QueryMatches> all;
  results::MatchesReader reader(folder / (at + "ranking/matches.csv"));
  for (results::QueryMatches one; reader.next(one);) {
    one.query.insert(0, "set/");
    for (auto& found : one.found) found.path.insert(0, "set/");
    all.push_back(one);
  }
  results::MatchesFiles matches;
  matches.queries = static_cast<std::int64_t>(all.size());
  matches.labeled = true;
  matches.matches_of = [&](std::int64_t query) { return all.at(static_cast<std::size_t>(query)); };
  matches.write(folder / (at + "ranking"));
}

TEST_CASE("a test set among others is compared query by query with itself alone, and has its pictures") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_other_run(folder, "b/");
  const auto alone = compare(folder, "a", "b");
  put_among_others(folder, "a/");
  const auto among = compare(folder, "a", "b");
  CHECK(contains(among.page, "By AP, of 2 queries 1 are better in b, 1 are worse, and 0 are the same."));
  CHECK(among.page.find("a: AP 75.00\u00a0%") < among.page.find("b: AP 5.00\u00a0%"));
  CHECK(contains(among.page, "<strong>set/query/2.png</strong>"));
  CHECK(among.outcome.rankings == 4);
  CHECK(count_of(alone.page, "data:image/jpeg") > 0);
  CHECK(count_of(among.page, "data:image/jpeg") == count_of(alone.page, "data:image/jpeg"));
  CHECK(among.outcome.notes == alone.outcome.notes);
}

TEST_CASE("a comparison says which run has results that were made of earlier ones than there are now") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_run(folder, "b/");
  CHECK_FALSE(contains(compare(folder, "a", "b").page, "Outdated"));
  auto features = results::StageRecord::read(folder / "b/features/stage.json");
  features.results = {{"query.npy", "new"}};
  features.write(folder / "b/features/stage.json");
  CHECK(
      contains(compare(folder, "a", "b").page, "<strong>Outdated: </strong>ranking of b, made of earlier "));
}

TEST_CASE("a comparison says that scores are not of the rankings shown") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_run(folder, "b/");
  auto scores = scores_of_run();
  scores.multi_query = true;
  scores.single_gallery_shot = 10;
  results::write_evaluation(folder / "a/ranking", scores);
  scores.per_query.columns[0].values = {0.5, 0.05};
  results::write_evaluation(folder / "b/ranking", scores);
  const auto page = compare(folder, "a", "b").page;
  CHECK(contains(page, "Lost most (first a, then b)"));
  CHECK(contains(page, "The scores are of merged queries"));
  CHECK(contains(page, "The scores are means over galleries with one image of each identity"));
}

TEST_CASE("a figure with too little behind it is marked in the comparison, with the reason") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_run(folder, "b/");
  auto scores = scores_of_run();
  scores.figures[1].caution = "from <2> queries";
  results::write_evaluation(folder / "b/ranking", scores);
  const auto page = compare(folder, "a", "b").page;
  CHECK(contains(page, ">75.00</td>"));
  CHECK(contains(page, ">75.00 ?</td>"));
  CHECK(contains(page, "? Rank-1 of b: from &lt;2&gt; queries."));
}

TEST_CASE("runs of one name are told apart by the folders around them") {
  const TemporaryFolder folder;
  write_run(folder, "x/run/");
  write_run(folder, "y/run/");
  write_run(folder, "z/run/");
  const auto [outcome, page] = compare(folder, "x/run", "z/run");
  CHECK(contains(page, "<h1>x/run \u2192 z/run</h1>"));
  CHECK(outcome.file == folder / "z/run/compared_with_x_run.html");
  CHECK(compare(folder, "y/run", "z/run").outcome.file == folder / "z/run/compared_with_y_run.html");
}

TEST_CASE("runs without scores, and damaged ones, are compared as far as they can be") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  write_run(folder, "b/");
  SUBCASE("no scores") {
    std::filesystem::remove_all(folder / "a/ranking");
    CHECK(contains(compare(folder, "a", "b").page, "No scores of a: nothing has been evaluated"));
  }
  SUBCASE("damaged") {
    for (const auto* file : {"pipeline.toml", "ranking/evaluation.json", "ranking/per_query.csv",
                             "ranking/matches.csv", "model/metrics.jsonl", "features/query.csv"}) {
      folder.write(std::string("a/") + file, "\xff<\"&");
    }
    CHECK(contains(compare(folder, "a", "b").page, "Not shown: "));
  }
}

TEST_CASE("a run is not compared with itself, whatever paths name it") {
  const TemporaryFolder folder;
  write_run(folder, "a/");
  const auto catalog = nasty_catalog();
  CHECK(contains(
      error_of([&] { static_cast<void>(write_comparison(folder / "a", folder / "a/../a", {}, catalog)); }),
      "is the same run as"));
}

}  // namespace
}  // namespace kindred::test
