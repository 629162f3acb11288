#include "results/evaluation_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "made_evaluation.h"
#include "markup_check.h"
#include "results/evaluation_text.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

namespace {

using Names = std::vector<std::string>;

void check_same(const MetricColumn& a, const MetricColumn& b) {
  CHECK(a.name == b.name);
  CHECK(a.label == b.label);
  CHECK(a.kind == b.kind);
}

}  // namespace

TEST_CASE(
    "figures are found by name in JSON, in the order of the metrics, with what is to be known of them") {
  const auto json = evaluation_json(made_evaluation());
  Names names;
  for (const auto& [name, figure] : json["figures"].items()) names.push_back(name);
  CHECK(names == Names{"mAP", "rank1", "score", "AUC"});
  const auto& map = json["figures"]["mAP"];
  CHECK(map["value"] == 0.5);
  CHECK(map["label"] == "mAP");
  CHECK(map["shown_as"] == "share");
  CHECK(map["better"] == "higher");
  CHECK(map["prominence"] == "headline");
  CHECK(map["metric"] == "retrieval");
  CHECK(map["doc"] == "of mAP");
  CHECK(json["figures"]["AUC"]["shown_as"] == "number");
  CHECK(json["figures"]["AUC"]["prominence"] == "detail");
  CHECK(json["valid_queries"] == 1);
  CHECK(json["cameras"] == "known");
  CHECK(json["distances"] == "cosine");
  CHECK(json["tables"]["thresholds"]["rows"][0]["distance"] == 0.125);
  CHECK(json["tables"]["thresholds"]["rows"][1]["distance"].is_null());
  CHECK_FALSE(json["tables"].contains("roc"));
  CHECK_FALSE(json.contains("curves"));
}

TEST_CASE("an evaluation comes back from its file as it was") {
  const TemporaryFolder folder;
  auto made = made_evaluation();
  made.note = "why";
  made.itself_ignored = true;
  made.clothes = recipe::ClothesMode::changed;
  made.single_gallery_shot = 10;
  made.images_sha256 = "9f86";
  made.figures[1].value = NAN;
  made.figures[1].info.higher_is_better = false;
  write_evaluation(folder / "run", made);
  const auto read = read_evaluation(folder / "run/evaluation.json");
  CHECK(read.itself_ignored);
  CHECK(read.clothes == recipe::ClothesMode::changed);
  CHECK(read.single_gallery_shot == 10);
  CHECK(read.images_sha256 == "9f86");
  REQUIRE(read.figures.size() == made.figures.size());
  for (std::size_t i = 0; i < read.figures.size(); ++i) {
    CHECK(read.figures[i].info.name == made.figures[i].info.name);
    CHECK(read.figures[i].info.doc == made.figures[i].info.doc);
    CHECK(read.figures[i].info.kind == made.figures[i].info.kind);
    CHECK(read.figures[i].info.prominence == made.figures[i].info.prominence);
    CHECK(read.figures[i].info.higher_is_better == made.figures[i].info.higher_is_better);
    CHECK(read.figures[i].metric == made.figures[i].metric);
  }
  CHECK(read.find("score")->value == 0.625);
  CHECK(std::isnan(read.find("rank1")->value));
  CHECK(read.find("nothing") == nullptr);
  CHECK(read.queries == 2);
  CHECK(read.positive_pairs == 5);
  CHECK(read.negative_pairs == 6);
  CHECK(read.cameras_known);
  CHECK(read.cosine);
  CHECK_FALSE(read.multi_query);
  CHECK(read.note == "why");
  REQUIRE(read.tables.size() == 2);
  CHECK(read.tables[0].columns[1].values == std::vector<double>{0.25, 0.5});
  for (std::size_t i = 0; i < 3; ++i) check_same(read.tables[0].columns[i], made.tables[0].columns[i]);
  for (std::size_t i = 0; i < 2; ++i) check_same(read.per_query.columns[i], made.per_query.columns[i]);

  auto curve = read.tables[1];
  CHECK(curve.doc == "the <curve>");
  CHECK(curve.plot->y == "found");
  CHECK(curve.plot->logarithmic_x);
  CHECK(curve.columns[0].values.empty());
  read_curve(folder / "run", curve);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(curve.columns[i].values.size() == 3);
    for (std::size_t row = 0; row < 3; ++row) {
      CHECK(curve.columns[i].values[row] == doctest::Approx(made.tables[1].columns[i].values[row]));
    }
  }
  CHECK(read_bytes(folder / "run/evaluation.txt") == evaluation_text(made));
}

TEST_CASE("a curve is written with the shortest numbers that say the same") {
  const TemporaryFolder folder;
  write_evaluation(folder / "run", made_evaluation());
  CHECK(read_bytes(folder / "run/roc.csv") == "distance,passed,found\n0.1,0,0.1\n0.2,0.01,0.5\n0.4,1,1\n");
}

TEST_CASE("the picture of a curve is an SVG file that needs nothing else") {
  const TemporaryFolder folder;
  write_evaluation(folder / "run", made_evaluation());
  const auto picture = read_bytes(folder / "run/roc.svg");
  CHECK(markup_error(picture) == "");
  CHECK(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(picture.find("<title>Same person or not: true positives by false positives</title>") !=
        std::string::npos);
  CHECK(picture.find("true positives in %") != std::string::npos);
  // 0.01 and 1 can be drawn on the logarithmic axis, 0 cannot.
  CHECK(picture.find("<polyline points=") != std::string::npos);
  CHECK(picture.find("var(") == std::string::npos);
}

TEST_CASE("each query has a line in order, with empty cells where it was not judged") {
  std::ostringstream text;
  write_query_table(text, made_evaluation().per_query);
  CHECK(text.str() ==
        "path,identity,camera,matches,ap,first_rank\n"
        "\"a, b.png\",5,2,3,0.583333,2\n"
        "c.png,,,,,\n");
}

TEST_CASE("queries are read with the labels of the evaluation, and unknown columns by their names") {
  const TemporaryFolder folder;
  const auto made = made_evaluation();
  write_query_table(folder / "per_query.csv", made.per_query);
  const auto read = read_query_table(folder / "per_query.csv", {made.per_query.columns[0]});
  REQUIRE(read.queries.size() == 2);
  CHECK(read.queries[0].path == "a, b.png");
  CHECK(read.queries[0].identity == 5);
  CHECK(read.queries[0].matches == 3);
  CHECK(read.queries[1].camera == unknown_camera);
  CHECK(read.queries[1].matches == 0);
  check_same(read.columns[0], made.per_query.columns[0]);
  CHECK(read.columns[0].values[0] == doctest::Approx(7.0 / 12).epsilon(1e-5));
  CHECK(std::isnan(read.columns[0].values[1]));
  CHECK(read.columns[1].label == "first_rank");
  folder.write("bad.csv", "path,identity,camera,matches,ap\na,1,1,1,much\n");
  CHECK_THROWS_WITH_AS(static_cast<void>(read_query_table(folder / "bad.csv", {})),
                       doctest::Contains("the ap 'much' is not a number"), DataError);
}

TEST_CASE("the files of an evaluation are those that it names, and curves of the one before are gone") {
  const TemporaryFolder folder;
  CHECK(evaluation_files(folder.path()).empty());
  auto made = made_evaluation();
  write_evaluation(folder.path(), made);
  CHECK(evaluation_files(folder.path()) == Names{"evaluation.json", "roc.csv", "roc.svg", "per_query.csv"});
  made.parts.figures = {made.figures[0].info};
  made.parts.domains = {{"day", "", 1, {0.5}}, {"night", "", 1, {0.25}}};
  write_evaluation(folder.path(), made);
  CHECK(evaluation_files(folder.path()) ==
        Names{"evaluation.json", "roc.csv", "roc.svg", "per_query.csv", "by_domain.csv"});
  made.parts = {};
  made.tables.pop_back();
  write_evaluation(folder.path(), made);
  CHECK(evaluation_files(folder.path()) == Names{"evaluation.json", "per_query.csv"});
  for (const auto* gone : {"roc.csv", "roc.svg", "by_domain.csv"}) {
    CHECK_FALSE(std::filesystem::exists(folder / gone));
  }
  folder.write("evaluation.json", "{");
  CHECK(evaluation_files(folder.path()).empty());
}

TEST_CASE("what is no evaluation is refused with the reason") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    folder.write("evaluation.json", text);
    try {
      static_cast<void>(read_evaluation(folder / "evaluation.json"));
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal("{\"mAP\": 0.5").find("is not valid JSON: it is damaged") != std::string::npos);
  // As earlier versions wrote it.
  CHECK(refusal("{\"mAP\": 0.5}").find("is not an evaluation as this version writes it") !=
        std::string::npos);
  CHECK(refusal("[]").find("evaluate again") != std::string::npos);
  auto json = evaluation_json(made_evaluation());
  json["figures"]["mAP"]["shown_as"] = "color";
  CHECK(refusal(json.dump()).find("'color' is not known") != std::string::npos);
  json = evaluation_json(made_evaluation());
  json["queries"] = "many";
  CHECK(refusal(json.dump()).find("is not an evaluation") != std::string::npos);
  for (const double number : {1.5, 1e300}) {
    json["queries"] = number;
    CHECK(refusal(json.dump()).find("'queries' is not a whole number") != std::string::npos);
  }
  json["queries"] = std::uint64_t{1} << 63;
  CHECK(refusal(json.dump()).find("'queries' is not a whole number") != std::string::npos);
  json = evaluation_json(made_evaluation());
  json["tables"]["../out"] = json["tables"]["thresholds"];
  CHECK(refusal(json.dump()).find("'../out' is not the name of a table") != std::string::npos);
}

TEST_CASE("cautions stand beside figures and rows in JSON, and come back") {
  auto made = made_evaluation();
  CHECK_FALSE(evaluation_json(made)["figures"]["mAP"].contains("caution"));
  CHECK_FALSE(evaluation_json(made)["tables"]["thresholds"].contains("cautions"));
  made.figures[0].caution = "from 2 queries";
  made.tables[0].cautions = {"from 16 negative pairs; 100000 are needed", ""};
  auto json = evaluation_json(made);
  CHECK(json["figures"]["mAP"]["caution"] == "from 2 queries");
  CHECK(json["tables"]["thresholds"]["cautions"][0] == "from 16 negative pairs; 100000 are needed");
  const auto read = evaluation_of(json, "evaluation.json");
  CHECK(read.figures[0].caution == "from 2 queries");
  CHECK(read.figures[1].caution.empty());
  CHECK(read.tables[0].cautions == made.tables[0].cautions);
  json["tables"]["thresholds"]["cautions"].push_back("");
  CHECK_THROWS_WITH_AS(static_cast<void>(evaluation_of(json, "evaluation.json")),
                       doctest::Contains("has other numbers of rows and of cautions"), DataError);
}

TEST_CASE("an evaluation that is nested deeper than any is refused") {
  const TemporaryFolder folder;
  const auto file = folder.write("evaluation.json", "{\"figures\": " + std::string(200'000, '['));
  CHECK(message_of<DataError>([&] {
          static_cast<void>(read_evaluation(file));
        }).ends_with("its JSON is nested more than 64 levels deep"));
}
