#include "results/scores_file.h"

#include <doctest/doctest.h>

#include <string>

#include <nlohmann/json.hpp>
#include "data_files.h"
#include "made_evaluation.h"
#include "results/evaluation_file.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

TEST_CASE("scores of all rankings are written as JSON and as a table, and read back") {
  const TemporaryFolder folder;
  const auto file = folder / "scores.json";
  ScoresFile scores;
  scores.rankings = {{"ranking", "descriptors", made_evaluation(0.456789, 0.5)},
                     {"ranking", "post-processed", made_evaluation(0.5, 1)}};
  scores.rankings[0].scores.figures.erase(scores.rankings[0].scores.figures.begin() + 2);  // Score
  scores.write(file);
  CHECK(read_bytes(folder / "scores.md") ==
        "| STAGE | RANKED BY | mAP | Rank-1 | Score |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| ranking | descriptors | 45.68 | 50.00 |  |\n"
        "| ranking | post-processed | 50.00 | 100.00 | 75.00 |\n");
  const auto read = ScoresFile::read(file);
  REQUIRE(read.rankings.size() == 2);
  CHECK(read.rankings[1].stage == "ranking");
  CHECK(read.rankings[1].ranked_by == "post-processed");
  CHECK(evaluation_json(read.rankings[0].scores) == evaluation_json(scores.rankings[0].scores));
}

TEST_CASE("damaged scores are refused with the entry") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    const auto file = folder.write("scores.json", text);
    return error_of([&] { static_cast<void>(ScoresFile::read(file)); });
  };
  CHECK(contains(refusal("{}"), "scores.json: error: the JSON is of type object and must be a list"));
  CHECK(contains(refusal("[3]"), "'entry 1' is of type number and must be an object"));
  CHECK(contains(refusal(R"([{"stage": "ranking"}])"), "'entry 1.ranked_by' is missing"));
}
