#include "results/matches_file.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

namespace {

MatchesFiles files(const std::vector<QueryMatches>& all, bool labeled) {
  return {static_cast<std::int64_t>(all.size()), labeled,
          [&all](std::int64_t query) { return all[static_cast<std::size_t>(query)]; }};
}

const std::string head = "query_path,rank,gallery_path,similarity\n";

}  // namespace

TEST_CASE("matches are written as CSV and as JSON, and read back query by query") {
  const TemporaryFolder folder;
  const std::vector<QueryMatches> all{
      {"q,1.png", 7, {{"g\"2.png", 0.1F, 9}, {"g1.png", -0.5F, std::nullopt}}},
      {"q2.png", std::nullopt, {{"ä.png", 1, -1}}}};
  files(all, true).write(folder / "out");
  CHECK(read_bytes(folder / "out/matches.csv") ==
        "query_path,rank,gallery_path,similarity,query_identity,gallery_identity\n"
        "\"q,1.png\",1,\"g\"\"2.png\",0.1,7,9\n"
        "\"q,1.png\",2,g1.png,-0.5,7,\n"
        "q2.png,1,ä.png,1,,-1\n");
  CHECK(nlohmann::json::parse(read_bytes(folder / "out/matches.json")) ==
        nlohmann::json{{"q,1.png", {"g\"2.png", "g1.png"}}, {"q2.png", {"ä.png"}}});

  MatchesReader reader(folder / "out/matches.csv");
  QueryMatches read;
  REQUIRE(reader.next(read));
  CHECK(read.query == "q,1.png");
  CHECK(read.identity == 7);
  REQUIRE(read.found.size() == 2);
  CHECK(read.found[0].path == "g\"2.png");
  CHECK(read.found[0].similarity == 0.1F);
  CHECK(read.found[0].identity == 9);
  CHECK_FALSE(read.found[1].identity);
  CHECK(std::string(reader.error(1, "is wrong").what()) ==
        (folder / "out/matches.csv").string() + ":3: error: is wrong");
  REQUIRE(reader.next(read));
  CHECK(read.query == "q2.png");
  CHECK_FALSE(read.identity);
  CHECK(read.found.at(0).identity == -1);
  CHECK_FALSE(reader.next(read));
}

TEST_CASE("without labels there are no columns of identities") {
  const TemporaryFolder folder;
  files({{"q", std::nullopt, {{"g", 0.5F, std::nullopt}}}}, false).write(folder.path());
  CHECK(read_bytes(folder / "matches.csv") == head + "q,1,g,0.5\n");
  MatchesReader reader(folder / "matches.csv");
  QueryMatches read;
  REQUIRE(reader.next(read));
  CHECK_FALSE(read.identity);
}

TEST_CASE("a name that JSON cannot hold is refused, and an earlier file stays") {
  const TemporaryFolder folder;
  folder.write("matches.json", "earlier");
  const std::vector<QueryMatches> all{{"q", std::nullopt, {{"\xe4.png", 0, std::nullopt}}}};
  CHECK(contains(error_of([&] { files(all, false).write(folder.path()); }), "is not valid UTF-8"));
  CHECK(read_bytes(folder / "matches.json") == "earlier");
}

TEST_CASE("a query that begins anew is read as another one") {
  const TemporaryFolder folder;
  MatchesReader reader(folder.write("matches.csv", head + "q,1,a,0.5\nq,1,b,0.25\n"));
  QueryMatches read;
  REQUIRE(reader.next(read));
  CHECK(read.found.size() == 1);
  REQUIRE(reader.next(read));
  CHECK(read.query == "q");
  CHECK(read.found.at(0).path == "b");
}

TEST_CASE("a damage is named with the line, and what stands before it is read") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& last) {
    MatchesReader reader(folder.write("matches.csv", head + "p,1,a,1\nq,1,a,0.5\nq,2,b,0.25\n" + last));
    QueryMatches read;
    REQUIRE(reader.next(read));
    const auto message = error_of([&] { static_cast<void>(reader.next(read)); });
    CHECK(read.query == "q");
    CHECK(read.found.size() == 2);
    return message;
  };
  CHECK(contains(refusal("q,3,c\n"), "matches.csv:5: error: 3 cells"));
  CHECK(contains(refusal("q,4,c,0.1\n"), "matches.csv:5: error: rank 4; expected 3: the images of a query"));
  CHECK(contains(refusal("q,3,c,high\n"), "matches.csv:5: error: the similarity 'high' is not a number"));
  CHECK(contains(refusal("q,3,c,nan\n"), "matches.csv:5: error: the similarity 'nan' is not a number"));
  const auto file = folder.write("matches.csv", "query_path,rank,gallery_path,similarity,note\n");
  CHECK(contains(error_of([&] { const MatchesReader reader(file); }), "matches.csv:1: error: "));
}
