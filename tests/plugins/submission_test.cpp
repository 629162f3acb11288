#include <doctest/doctest.h>

#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "naic_json.h"
#include "ranking_csv.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::submission;

namespace {

std::string written(const Writer& writer, const std::vector<RankedQuery>& rankings) {
  std::ostringstream out;
  writer.write(rankings, out);
  return out.str();
}

std::vector<RankedQuery> read(const Writer& writer, const std::string& text) {
  std::istringstream in(text);
  return writer.read(in);
}

std::string refusal(const Writer& writer, const std::string& text) {
  return test::message_of<ComponentError>([&] { static_cast<void>(read(writer, text)); });
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the competition's format is an object of lists, in the order of the rankings") {
  const NaicJson writer({}, {});
  CHECK(writer.top() == 200);
  CHECK(writer.file_name() == "submission.json");
  CHECK(writer.name_of("query_a/00012.png") == "00012.png");
  CHECK(writer.name_of("00012.png") == "00012.png");
  const std::vector<RankedQuery> rankings = {{"b.png", {"2.png", "1 \"x\".png"}, {0.5F, 0.25F}},
                                             {"a.png", {"1.png"}, {}}};
  const auto text = written(writer, rankings);
  CHECK(text ==
        "{\n"
        "\"b.png\": [\"2.png\", \"1 \\\"x\\\".png\"],\n"
        "\"a.png\": [\"1.png\"]\n"
        "}\n");
  const auto back = read(writer, text);
  REQUIRE(back.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(back[i].query == rankings[i].query);
    CHECK(back[i].gallery == rankings[i].gallery);
    CHECK(back[i].similarities.empty());
  }
  CHECK(read(writer, written(writer, {})).empty());
}

TEST_CASE("a query that stands twice in a JSON text is read twice") {
  const auto back = read(NaicJson({}, {}), R"({"a": ["1"], "a": ["2"]})");
  REQUIRE(back.size() == 2);
  CHECK(back[0].gallery[0] == "1");
  CHECK(back[1].gallery[0] == "2");
}

TEST_CASE("a JSON text of another form is refused with the place") {
  const NaicJson writer({}, {});
  CHECK(contains(refusal(writer, "{\"a\": [\"1\""), "writer/naic_json: error: is not valid JSON at byte "));
  CHECK(contains(refusal(writer, "[]"), "the top level is a list; expected an object of lists"));
  CHECK(contains(refusal(writer, "3"), "the top level is a number"));
  CHECK(contains(refusal(writer, R"({"a": "1"})"), "the value of the query 'a' is a string"));
  CHECK(contains(refusal(writer, R"({"a": {}})"), "the value of the query 'a' is an object"));
  CHECK(contains(refusal(writer, R"({"a": ["1", 2]})"), "the list of the query 'a' contains a number"));
  CHECK(contains(refusal(writer, R"({"a": [["1"]]})"), "the list of the query 'a' contains a list"));
  CHECK(contains(refusal(writer, R"({"a": null})"), "is null"));
  CHECK(contains(refusal(writer, ""), "is not valid JSON"));
}

TEST_CASE("a name that is not UTF-8 cannot be written as JSON") {
  CHECK_THROWS_WITH_AS(static_cast<void>(written(NaicJson({}, {}), {{"\xff.png", {}, {}}})),
                       doctest::Contains("is not valid UTF-8"), ComponentError);
}

TEST_CASE("the table has a line for each pair, and reads back to the last bit") {
  const RankingCsv writer({7}, {});
  CHECK(writer.top() == 7);
  CHECK(writer.file_name() == "submission.csv");
  CHECK(writer.name_of("query/1.png") == "query/1.png");
  const std::vector<RankedQuery> rankings = {
      {"query/1.png", {"gallery/3.png", "gallery/a, b.png"}, {0.1F, std::numeric_limits<float>::min()}},
      {"query/2.png", {"gallery/3.png"}, {}}};
  const auto text = written(writer, rankings);
  CHECK(contains(text,
                 "query,rank,gallery,similarity\n"
                 "query/1.png,1,gallery/3.png,0.1\n"
                 "query/1.png,2,\"gallery/a, b.png\",1.1754944e-38\n"
                 "query/2.png,1,gallery/3.png,\n"));
  const auto back = read(writer, text);
  REQUIRE(back.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(back[i].query == rankings[i].query);
    CHECK(back[i].gallery == rankings[i].gallery);
    CHECK(back[i].similarities == rankings[i].similarities);
  }
}

TEST_CASE("a table that is no ranking is refused with the line") {
  const RankingCsv writer({}, {});
  const std::string head = "query,rank,gallery,similarity\n";
  CHECK(contains(refusal(writer, head + "a,1,x,\na,3,y,\n"), "submission.csv:3: error: rank 3; expected 2"));
  CHECK(contains(refusal(writer, head + "a,1,x,\nb,2,y,\n"), ":3: error: rank 2; expected 1"));
  CHECK(contains(refusal(writer, head + "a,1,x,high\n"), "similarity 'high' is not a number"));
  CHECK(contains(refusal(writer, head + "a,1,x,0.5\na,2,y,\n"), "for all images of a query or for none"));
  CHECK(contains(refusal(writer, head + "a,1,x,\na,2,y,0.5\n"), "for all images of a query or for none"));
  CHECK(contains(refusal(writer, "query,rank,gallery\na,1,x\n"), "similarity"));
  CHECK(read(writer, head + "a,1,x,\na,1,x,\n").size() == 2);
}
