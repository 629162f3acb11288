#include "ranking/evaluation.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "file/npy.h"
#include "kindred/core/error.h"
#include "real_metrics.h"
#include "results/evaluation.h"
#include "results/evaluation_file.h"
#include "small_rankings.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::ranking;
using namespace kindred::test;

namespace {

std::string refusal(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                    recipe::CameraMode cameras = recipe::CameraMode::automatic) {
  const auto distances = torch::rand(
      {static_cast<std::int64_t>(query.size()), static_cast<std::int64_t>(gallery.size())}, torch::kFloat);
  try {
    static_cast<void>(evaluate_all(query, gallery, given(distances), cameras));
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

struct Golden {
  std::vector<Sample> query;
  std::vector<Sample> gallery;
  torch::Tensor distances;
  nlohmann::json expected;

  Golden() {
    const std::filesystem::path folder = test::golden_directory;
    std::ifstream file(folder / "evaluate_expected.json");
    const auto json = nlohmann::json::parse(file);
    for (std::size_t i = 0; i < json["query_identity"].size(); ++i) {
      query.push_back(person(json["query_identity"][i], json["query_camera"][i]));
    }
    for (std::size_t i = 0; i < json["gallery_identity"].size(); ++i) {
      gallery.push_back(person(json["gallery_identity"][i], json["gallery_camera"][i]));
    }
    expected = json["expected"];
    distances = file::read_npy(folder / "evaluate_distance.npy");
  }
};

void check_golden(const results::Evaluation& evaluation, const nlohmann::json& expected) {
  CHECK(evaluation.valid_queries == expected["valid_queries"].get<std::int64_t>());
  CHECK(std::abs(map_of(evaluation) - expected["mAP"].get<double>()) < 1e-12);
  CHECK(std::abs(value_of(evaluation, "mINP") - expected["mINP"].get<double>()) < 1e-12);
  // These were computed in 32 bits.
  for (const auto* rank : {"rank1", "rank5", "rank10"}) {
    CHECK(std::abs(value_of(evaluation, rank) - expected[rank].get<double>()) < 1e-7);
  }
}

struct Threads {
  int before = at::get_num_threads();
  explicit Threads(int count) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before); }
};

}  // namespace

TEST_CASE("the reference values are met, whatever the number of threads") {
  const Golden golden;
  std::optional<results::Evaluation> first;
  for (const int count : {1, 2, 3, 7}) {
    const Threads threads(count);
    const auto scores =
        evaluate_all(golden.query, golden.gallery, given(golden.distances), recipe::CameraMode::known);
    check_golden(scores, golden.expected);
    if (!first) first = scores;
    CHECK(column_of(scores.per_query.columns, "ap") == column_of(first->per_query.columns, "ap"));
    CHECK(column_of(scores.tables, "roc", "true_positive_rate") ==
          column_of(first->tables, "roc", "true_positive_rate"));
    CHECK(results::evaluation_json(scores) == results::evaluation_json(*first));
  }
  CHECK(first->queries == 60);
  CHECK(first->gallery == 240);
  CHECK(first->cameras_known);
  CHECK(first->note.empty());
}

TEST_CASE("rankings without anybody else are warned of, for they are right whatever the distances are") {
  const auto warning = [](const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                          const std::vector<std::string>& overrides = {}) {
    const auto distances = torch::rand(
        {static_cast<std::int64_t>(query.size()), static_cast<std::int64_t>(gallery.size())}, torch::kFloat);
    const auto scores =
        evaluate_all(query, gallery, given(distances), recipe::CameraMode::automatic, overrides);
    if (scores.nobody_else) CHECK(map_of(scores) == 1);
    return warning_of_nobody_else(scores);
  };
  const std::string expected =
      "warning: no query has an image of anybody else to tell it from, so every ranking is right: the "
      "figures "
      "say nothing; evaluate with a gallery of several people";
  CHECK(warning({person(5)}, {person(5)}) == expected);
  CHECK(warning({person(5, 1), person(5, 2)}, {person(5, 1), person(5, 2), person(5, 3)}) == expected);
  // Junk is not ranked, and a query without a right image is not judged.
  CHECK(warning({person(5), person(7)}, {person(5), person(5), person(junk_identity)}) == expected);
  CHECK(warning({person(5)}, {person(5), person(5)}, {"evaluate.single_gallery_shot=3"}) == expected);

  CHECK(warning({person(5)}, {person(5), person(6)}).empty());
  CHECK(warning({person(5)}, {person(5), person(unlabeled_identity)}).empty());
  CHECK(warning({person(5)}, {person(5), person(6)}, {"evaluate.single_gallery_shot=3"}).empty());
}

TEST_CASE("the reference values are met when cameras are found by themselves") {
  const Golden golden;
  check_golden(
      evaluate_all(golden.query, golden.gallery, given(golden.distances), recipe::CameraMode::automatic),
      golden.expected);
}

TEST_CASE("the reference values are met when junk is strewn over the gallery") {
  Golden golden;
  std::vector<Sample> gallery;
  std::vector<torch::Tensor> columns;
  for (std::size_t i = 0; i < golden.gallery.size(); ++i) {
    if (i % 3 == 0) {
      gallery.push_back(person(junk_identity, 1));
      columns.push_back(torch::rand({60}) * 2);
    }
    gallery.push_back(golden.gallery[i]);
    columns.push_back(golden.distances.select(1, static_cast<std::int64_t>(i)));
  }
  const auto scores =
      evaluate_all(golden.query, gallery, given(torch::stack(columns, 1)), recipe::CameraMode::known);
  check_golden(scores, golden.expected);
  CHECK(scores.junk == 80);
  CHECK(scores.gallery == 240);
}

TEST_CASE("AP, INP and the first rank of a ranking computed by hand") {
  // Right images at ranks 1, 3 and 6.
  const auto scores =
      evaluate_one(person(5), {person(5), person(6), person(5), person(7), person(8), person(5)},
                   {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F});
  CHECK(map_of(scores) == doctest::Approx((1.0 + 2.0 / 3 + 3.0 / 6) / 3).epsilon(1e-14));
  CHECK(value_of(scores, "mINP") == doctest::Approx(3.0 / 6).epsilon(1e-14));
  CHECK(value_of(scores, "rank1") == 1);
  CHECK(scores.distractors == 3);
}

TEST_CASE("the order of the gallery decides between equal distances") {
  const std::vector<Sample> right_last{person(6), person(7), person(5)};
  CHECK(map_of(evaluate_one(person(5), right_last, {0.5F, 0.5F, 0.5F})) == doctest::Approx(1.0 / 3));
  const std::vector<Sample> right_first{person(5), person(6), person(7)};
  CHECK(map_of(evaluate_one(person(5), right_first, {0.5F, 0.5F, 0.5F})) == 1);
  const std::vector<Sample> between{person(6), person(5), person(7), person(5)};
  CHECK(map_of(evaluate_one(person(5), between, {0.5F, 0.5F, 0.5F, 0.5F})) ==
        doctest::Approx((1.0 / 2 + 2.0 / 4) / 2));
}

TEST_CASE("zero and minus zero are equal distances, infinite ones are last") {
  const std::vector<Sample> gallery{person(6), person(5), person(5)};
  CHECK(map_of(evaluate_one(person(5), gallery, {0.0F, -0.0F, std::numeric_limits<float>::infinity()})) ==
        doctest::Approx((1.0 / 2 + 2.0 / 3) / 2));
}

TEST_CASE("junk is neither right nor wrong, distractors and unlabeled images are wrong") {
  const std::vector<Sample> gallery{person(junk_identity), person(0), person(unlabeled_identity), person(5)};
  const auto scores = evaluate_one(person(5), gallery, {0.1F, 0.2F, 0.3F, 0.4F});
  CHECK(map_of(scores) == doctest::Approx(1.0 / 3));
  CHECK(value_of(scores, "rank1") == 0);
  CHECK(value_of(scores, "rank5") == 1);
  CHECK(scores.gallery == 3);
  CHECK(scores.junk == 1);
  CHECK(scores.distractors == 2);
}

TEST_CASE("images of the query's identity and camera are removed only when cameras are known") {
  const auto query = person(5, 1);
  const std::vector<Sample> gallery{person(5, 1), person(6, 1), person(5, 2), person(6, 2)};
  const std::vector<float> distances{0.1F, 0.2F, 0.3F, 0.4F};
  const auto known = evaluate_one(query, gallery, distances, recipe::CameraMode::known);
  CHECK(known.cameras_known);
  CHECK(map_of(known) == doctest::Approx(1.0 / 2));
  const auto automatic = evaluate_one(query, gallery, distances, recipe::CameraMode::automatic);
  CHECK(automatic.cameras_known);
  CHECK(map_of(automatic) == map_of(known));
  const auto single = evaluate_one(query, gallery, distances, recipe::CameraMode::single);
  CHECK_FALSE(single.cameras_known);
  CHECK(map_of(single) == doctest::Approx((1.0 + 2.0 / 3) / 2));
}

TEST_CASE("a query without a right image does not count") {
  const std::vector<Sample> query{person(5), person(9), person(unlabeled_identity), person(junk_identity)};
  const std::vector<Sample> gallery{person(5), person(6)};
  const auto scores = evaluate_all(query, gallery, given(torch::tensor({{1.0F, 0.0F}}).repeat({4, 1})),
                                   recipe::CameraMode::automatic);
  CHECK(scores.queries == 4);
  CHECK(scores.valid_queries == 1);
  CHECK(map_of(scores) == doctest::Approx(0.5));
  const auto& ap = column_of(scores.per_query.columns, "ap");
  CHECK(ap[0] == doctest::Approx(0.5));
  CHECK(scores.per_query.queries[0].matches == 1);
  for (std::size_t q = 1; q < 4; ++q) {
    CHECK(scores.per_query.queries[q].matches == 0);
    CHECK(std::isnan(ap[q]));
  }
  CHECK(contains(scores.note, "2 queries are unlabeled or junk and not evaluated"));
}

TEST_CASE("automatic falls back to a single camera and says why") {
  const std::vector<float> distances{0.1F, 0.2F};
  const auto nowhere =
      evaluate_one(person(5), {person(5), person(6)}, distances, recipe::CameraMode::automatic);
  CHECK_FALSE(nowhere.cameras_known);
  CHECK(contains(nowhere.note,
                 "no image has a camera, so images from the camera of the query count as correct"));

  const auto one =
      evaluate_one(person(5, 3), {person(5, 3), person(6, 3)}, distances, recipe::CameraMode::automatic);
  CHECK_FALSE(one.cameras_known);
  CHECK(contains(one.note, "all images are from one camera (3)"));

  auto nameless = person(5);
  nameless.path = "nameless.png";
  const auto some =
      evaluate_one(person(5, 3), {nameless, person(5, 2)}, distances, recipe::CameraMode::automatic);
  CHECK_FALSE(some.cameras_known);
  CHECK(contains(some.note, "1 of 3 images have no camera (first: 'nameless.png')"));
}

TEST_CASE("distractors and queries that nobody matches need no camera") {
  const std::vector<Sample> query{person(5, 1), person(9)};
  const std::vector<Sample> gallery{person(5, 2), person(6), person(unlabeled_identity), person(0)};
  const auto scores = evaluate_all(query, gallery, given(torch::rand({2, 4})), recipe::CameraMode::automatic);
  CHECK(scores.cameras_known);
  CHECK(scores.note.empty());
}

TEST_CASE("known cameras that are missing are refused with the first image without one") {
  const auto message = refusal({person(5, 1)}, {person(5, 2), person(5)}, recipe::CameraMode::known);
  CHECK(contains(message, "cameras = \"known\", but 1 of 3 images have no camera"));
  CHECK(contains(message, "cameras = \"single\""));
}

TEST_CASE("when no query can be matched the reason and the remedy are said") {
  CHECK(contains(refusal({}, {person(1)}), "evaluation: error: there are no queries"));
  CHECK(contains(refusal({person(1)}, {}), "the gallery is empty"));
  CHECK(contains(refusal({person(unlabeled_identity), person(junk_identity)}, {person(1)}),
                 "none of the 2 queries has an identity"));
  CHECK(contains(refusal({person(1)}, {person(unlabeled_identity), person(junk_identity)}),
                 "none of the 2 gallery images has an identity"));
  CHECK(contains(refusal({person(1), person(2), person(3), person(4)}, {person(11), person(12)}),
                 "no identity in common: the queries have 4 identities (1, 2, 3, ...), the gallery has 2 "
                 "identities (11, 12); check that they belong to the same data set"));
  CHECK(contains(refusal({person(1, 4)}, {person(1, 4), person(2, 4)}, recipe::CameraMode::known),
                 "no query has a correct image from another camera"));
  CHECK(contains(refusal({person(1, 4), person(2, 3)}, {person(1, 4), person(2, 3)}),
                 "set cameras = \"single\""));
}

TEST_CASE("errors name the place that the caller gives") {
  try {
    static_cast<void>(evaluate_all({}, {person(1)}, given(torch::ones({0, 1})), recipe::CameraMode::automatic,
                                   {}, "query.csv"));
    FAIL("no error");
  } catch (const DataError& error) {
    CHECK(error.file() == "query.csv");
  }
}

TEST_CASE("a query that finds itself is counted in a note") {
  const auto same = person(5);
  const auto scores = evaluate_all({same}, {same, person(5)}, given(torch::tensor({{0.0F, 1.0F}})),
                                   recipe::CameraMode::single, {"evaluate.exclude_same_image=false"});
  CHECK(contains(scores.note, "1 query is also in the gallery, and finding itself counts as correct"));
}

TEST_CASE("a distance that is not a number is an error naming the first query and gallery image") {
  std::vector<Sample> query;
  std::vector<Sample> gallery;
  for (int i = 0; i < 100; ++i) query.push_back(person(1));
  for (int i = 0; i < 50; ++i) gallery.push_back(person(1));
  auto distances = torch::rand({100, 50});
  distances[40][7] = std::numeric_limits<float>::quiet_NaN();
  distances[90][3] = std::numeric_limits<float>::quiet_NaN();
  for (const int count : {1, 2, 5}) {
    const Threads threads(count);
    CHECK_THROWS_WITH_AS(
        static_cast<void>(evaluate_all(query, gallery, given(distances), recipe::CameraMode::single)),
        doctest::Contains(("the distance of query 40 ('" + query[40].path + "') to gallery image 7 ('" +
                           gallery[7].path + "') is not a number")
                              .c_str()),
        DataError);
  }
}

TEST_CASE("distances of another shape or type are a mistake of the program") {
  const std::vector<Sample> both{person(1), person(1)};
  CHECK_THROWS_AS(
      static_cast<void>(evaluate_all(both, both, given(torch::ones({2, 3})), recipe::CameraMode::single)),
      std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(evaluate_all(both, both, given(torch::ones({2, 2}, torch::kDouble)),
                                                 recipe::CameraMode::single)),
                  std::logic_error);
}

TEST_CASE("blocks cover all queries once, in order, and stay within 64 MB") {
  constexpr std::int64_t images = 1 << 20;  // a block holds 16 rows
  std::vector<Sample> query(40, person(1));
  std::vector<Sample> gallery(images, person(2));
  gallery.back() = person(1);
  std::vector<std::pair<std::int64_t, std::int64_t>> blocks;
  const auto scores = evaluate_all(
      query, gallery,
      [&](std::int64_t first, std::int64_t last) {
        blocks.emplace_back(first, last);
        return torch::zeros({last - first, images});
      },
      recipe::CameraMode::single);
  CHECK(blocks == decltype(blocks){{0, 16}, {16, 32}, {32, 40}});
  CHECK(value_of(scores, "mINP") == doctest::Approx(1.0 / images));
}

TEST_CASE("without a metric nothing can be judged, and that is said") {
  CHECK_THROWS_WITH_AS(static_cast<void>(evaluate({person(1)}, {person(1)}, given(torch::ones({1, 1})),
                                                  DistanceScale::cosine, recipe::EvaluationPlan{})),
                       doctest::Contains("there is no metric to evaluate rankings with"), Error);
}

TEST_CASE("a query that is in the gallery is left out of its own ranking, and of the pairs") {
  const auto itself = person(5);
  const std::vector<Sample> gallery{itself, person(6), person(5), person(unlabeled_identity)};
  const auto distances = given(torch::tensor({{0.0F, 0.2F, 0.3F, 0.1F}}));
  auto plan = test::real_metrics();
  const auto with = [&](const SameImages& same) {
    return evaluate({itself}, gallery, distances, DistanceScale::other, plan, "evaluation", same);
  };
  const auto scores = with({{0}});
  CHECK(column_of(scores.per_query.columns, "first_rank").at(0) == 3);
  CHECK(scores.positive_pairs == 1);
  CHECK(scores.negative_pairs == 2);
  CHECK(contains(scores.note, "1 query is also in the gallery, and this image itself is left out"));
  // Under another label it is no negative either.
  CHECK(column_of(with({{0, 3}}).per_query.columns, "first_rank").at(0) == 2);
  CHECK(with({{0, 3}}).negative_pairs == 1);

  plan.evaluate.exclude_same_image = false;
  CHECK(column_of(with({{0}}).per_query.columns, "first_rank").at(0) == 1);
  CHECK(contains(with({{0}}).note, "finding itself counts as correct"));
}

TEST_CASE("an image that is left out for its camera is not said to be left out as the query itself") {
  const auto itself = person(5, 1);
  const auto plan = test::real_metrics();
  const auto scores = evaluate({itself}, {itself, person(5, 2)}, given(torch::tensor({{0.0F, 0.3F}})),
                               DistanceScale::other, plan, "evaluation", {{0}});
  CHECK(scores.cameras_known);
  CHECK(scores.note.empty());
}
