#include "results/query_scores_file.h"

#include <doctest/doctest.h>

#include <string>

#include "data_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

TEST_CASE("each query has a line in order, with empty cells where it was not judged, and is read back") {
  const TemporaryFolder folder;
  const auto file = folder / "per_query.csv";
  QueryScoresFile scores;
  scores.queries = {
      {"a, b.png", 5, 2, 2, 7.0 / 12, 2.0 / 3, 2}, {"c.png", 9}, {"d.png", unlabelled_identity, 1}};
  scores.write(file);
  CHECK(read_bytes(file) ==
        "path,identity,camera,ap,inp,first_rank,matches\n"
        "\"a, b.png\",5,2,0.583333,0.666667,2,2\n"
        "c.png,9,,,,,\n"
        "d.png,,1,,,,\n");
  const auto read = QueryScoresFile::read(file).queries;
  REQUIRE(read.size() == 3);
  CHECK(read[0].path == "a, b.png");
  CHECK(read[0].identity == 5);
  CHECK(read[0].camera == 2);
  CHECK(read[0].judged());
  CHECK(read[0].ap == 0.583333);
  CHECK(read[0].inp == 0.666667);
  CHECK(read[0].first_rank == 2);
  CHECK(read[0].matches == 2);
  CHECK(read[1].camera == unknown_camera);
  CHECK_FALSE(read[1].judged());
  CHECK(read[2].identity == unlabelled_identity);
}

TEST_CASE("damaged scores of queries are refused with the line") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& row) {
    const auto file = folder.write("per_query.csv",
                                   "path,identity,camera,ap,inp,first_rank,matches\na,1,1,1,1,1,1\n" + row);
    return error_of([&] { static_cast<void>(QueryScoresFile::read(file)); });
  };
  CHECK(contains(refusal("b,1,1,high,1,1,1\n"), "per_query.csv:3: error: the ap 'high' is not a number"));
  CHECK(contains(refusal("b,1,1,inf,1,1,1\n"), "per_query.csv:3: error: the ap 'inf' is not a number"));
  CHECK(contains(refusal("b,1,1,0.5,1,1,\n"), "per_query.csv:3: error: "));
  CHECK(contains(refusal("b,1,1,0.5,1,1,0\n"), "per_query.csv:3: error: there is an ap without matches"));
  CHECK(contains(refusal("b,1\n"), "per_query.csv:3: error: 2 cells"));
}
