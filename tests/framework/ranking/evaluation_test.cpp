#include "ranking/evaluation.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "file/npy.h"
#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "ranking/match_ranks.h"
#include "real_metrics.h"
#include "results/evaluation_file.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::ranking;
using kindred::test::column_of;
using kindred::test::value_of;
using recipe::CameraMode;
using results::Evaluation;

namespace {

Sample person(std::int64_t identity, std::int64_t camera = unknown_camera) {
  static int number = 0;
  Sample sample;
  sample.path = "image" + std::to_string(number++) + ".png";
  sample.identity = identity;
  sample.camera = camera;
  return sample;
}

DistanceBlock given(const torch::Tensor& distances) {
  return [distances](std::int64_t first, std::int64_t last) { return distances.slice(0, first, last); };
}

results::Evaluation evaluate_all(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                                 const DistanceBlock& distances, recipe::CameraMode cameras,
                                 const std::vector<std::string>& overrides = {},
                                 const std::filesystem::path& place = "evaluation") {
  auto plan = test::real_metrics(overrides);
  plan.evaluate.cameras = cameras;
  return evaluate(query, gallery, distances, DistanceScale::other, plan, place);
}

/// One query.
results::Evaluation evaluate_one(const Sample& query, const std::vector<Sample>& gallery,
                                 std::vector<float> distances,
                                 recipe::CameraMode cameras = recipe::CameraMode::single) {
  return evaluate_all({query}, gallery, given(torch::tensor(distances).unsqueeze(0)), cameras);
}

double map_of(const results::Evaluation& evaluation) {
  return value_of(evaluation, "mAP");
}

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

bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("'" << part << "' is not in: " << text);
  return found;
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

TEST_CASE("junk is neither right nor wrong, distractors and unlabelled images are wrong") {
  const std::vector<Sample> gallery{person(junk_identity), person(0), person(unlabelled_identity), person(5)};
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
  const std::vector<Sample> query{person(5), person(9), person(unlabelled_identity), person(junk_identity)};
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
  const std::vector<Sample> gallery{person(5, 2), person(6), person(unlabelled_identity), person(0)};
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
  CHECK(contains(refusal({person(unlabelled_identity), person(junk_identity)}, {person(1)}),
                 "none of the 2 queries has an identity"));
  CHECK(contains(refusal({person(1)}, {person(unlabelled_identity), person(junk_identity)}),
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

TEST_CASE("ranks are those of a stable sort, by either way of counting") {
  RandomStream random(7);
  for (int round = 0; round < 200; ++round) {
    const auto size = random.integer(1, 60);
    std::vector<float> distances;
    for (std::int64_t i = 0; i < size; ++i) {
      distances.push_back(static_cast<float>(random.integer(0, 9)));  // many are equal
    }
    std::vector<std::int32_t> images(static_cast<std::size_t>(size));
    std::iota(images.begin(), images.end(), 0);
    random.shuffle(std::span(images));
    const auto matches = random.integer(1, size);
    const auto removed = random.integer(0, size - matches);
    const std::vector<std::int32_t> right(images.begin(), images.begin() + matches);
    const std::vector<std::int32_t> out(images.begin() + matches, images.begin() + matches + removed);

    std::vector<std::int32_t> order(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return distances[static_cast<std::size_t>(a)] < distances[static_cast<std::size_t>(b)];
    });
    const std::set<std::int32_t> right_set(right.begin(), right.end());
    const std::set<std::int32_t> out_set(out.begin(), out.end());
    std::vector<std::int64_t> expected;
    std::int64_t rank = 0;
    for (const auto image : order) {
      if (out_set.contains(image)) continue;
      ++rank;
      if (right_set.contains(image)) expected.push_back(rank);
    }
    CHECK(match_ranks(distances, right, out) == expected);
    CHECK(kindred::ranking::detail::count_before_each(distances, right) ==
          kindred::ranking::detail::count_before_all(distances, right));
  }
}

TEST_CASE("thousands of right images give the ranks of a sort") {
  RandomStream random(3);
  std::vector<float> distances(5000);
  for (auto& distance : distances) distance = static_cast<float>(random.integer(0, 999));
  std::vector<std::int32_t> all(distances.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::int64_t> ranks(all.size());
  std::iota(ranks.begin(), ranks.end(), 1);
  CHECK(match_ranks(distances, all, {}) == ranks);
}

TEST_CASE("cosine distances do not depend on the rows' lengths") {
  const auto query = torch::randn({5, 16});
  const auto gallery = torch::randn({9, 16});
  const auto expected =
      1 - torch::matmul(query / query.norm(2, {1}, true), (gallery / gallery.norm(2, {1}, true)).t());
  const auto scaled = cosine_distances(query * torch::rand({5, 1}).mul(1e6).add(1), gallery * 1e-12);
  CHECK(torch::allclose(scaled(0, 5), expected, 1e-5, 1e-6));
  CHECK(torch::allclose(scaled(2, 4), expected.slice(0, 2, 4), 1e-5, 1e-6));
}

TEST_CASE("rows without a direction and unequal widths are refused by name") {
  auto gallery = torch::ones({5000, 4});
  gallery[4500].zero_();
  CHECK_THROWS_WITH_AS(static_cast<void>(cosine_distances(torch::ones({2, 4}), gallery, "q.npy", "g.npy")),
                       doctest::Contains("g.npy: error: row 4500 (from 0) has length 0"), DataError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(cosine_distances(torch::full({2, 4}, 3e38F), torch::ones({2, 4}), "q.npy", "g.npy")),
      doctest::Contains("q.npy: error: row 0 (from 0) is longer than 1e30"), DataError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(cosine_distances(torch::ones({2, 4}), torch::ones({2, 5}), "q.npy", "g.npy")),
      doctest::Contains("g.npy: error: its descriptors have 5 numbers, but those of q.npy have 4"),
      DataError);
}

TEST_CASE("persons that are far from each other and near to themselves are told apart without an error") {
  // Inverted signs would turn these into the worst that can be.
  const std::vector<Sample> query{person(1), person(2)};
  const std::vector<Sample> gallery{person(1), person(2), person(1), person(2)};
  const auto thresholds = [&](const torch::Tensor& distances, const char* column) {
    const auto evaluation = evaluate_all(query, gallery, given(distances), recipe::CameraMode::single);
    CHECK(evaluation.positive_pairs == 4);
    CHECK(evaluation.negative_pairs == 4);
    return column_of(evaluation.tables, "thresholds", column);
  };
  const auto separable = torch::tensor({{0.1F, 0.9F, 0.2F, 0.8F}, {0.7F, 0.3F, 0.9F, 0.1F}});
  CHECK(thresholds(separable, "true_positive_rate") == std::vector<double>{1, 1, 1});
  CHECK(thresholds(separable, "false_positives") == std::vector<double>{0, 0, 0});
  CHECK(thresholds(separable, "distance")[0] == doctest::Approx(0.7));  // the nearest of the wrong pairs
  const auto inverted = torch::tensor({{0.9F, 0.1F, 0.8F, 0.2F}, {0.3F, 0.7F, 0.1F, 0.9F}});
  CHECK(thresholds(inverted, "true_positive_rate") == std::vector<double>{0, 0, 0});
}

TEST_CASE("open-set pairs leave out what the ranking leaves out, and keep the queries that nobody matches") {
  const std::vector<Sample> query{person(5, 1), person(9, 1), person(unlabelled_identity, 1),
                                  person(junk_identity, 1)};
  const std::vector<Sample> gallery{person(5, 1),              // the first query's camera
                                    person(5, 2),              // right
                                    person(junk_identity, 2),  // never
                                    person(0, 1),              // distractors
                                    person(unlabelled_identity, 2)};
  const auto distances = torch::tensor({{0.0F, 0.5F, 0.01F, 0.6F, 0.4F}}).repeat({4, 1});
  const std::vector<std::string> rates{"metric.open_set.false_positive_rates=[0.01, 0.1]"};
  const auto known = evaluate_all(query, gallery, given(distances), recipe::CameraMode::known, rates);
  CHECK(known.positive_pairs == 1);
  CHECK(known.negative_pairs == 6);  // 2 of the first query, 4 of the second
  // The second query's nearest, which is junk to nobody.
  CHECK(column_of(known.tables, "thresholds", "distance") == std::vector<double>{0, 0});
  CHECK(column_of(known.tables, "thresholds", "true_positive_rate") == std::vector<double>{0, 0});
  const auto& passed = column_of(known.tables, "roc", "false_positive_rate");
  CHECK(std::find(passed.begin(), passed.end(), 3.0 / 6) != passed.end());  // 0, 0.4 and 0.4

  const auto single = evaluate_all(query, gallery, given(distances), recipe::CameraMode::single, rates);
  CHECK(single.positive_pairs == 2);
  CHECK(single.negative_pairs == 6);
}

TEST_CASE("without a pair of different persons there are no open-set figures") {
  const auto scores = evaluate_one(person(5), {person(5), person(junk_identity)}, {0.1F, 0.2F});
  CHECK(map_of(scores) == 1);
  CHECK(scores.negative_pairs == 0);
  CHECK(std::isnan(value_of(scores, "AUC")));
  REQUIRE(scores.tables.size() == 1);
  CHECK(scores.tables[0].name == "cmc");
}

TEST_CASE("without a metric nothing can be judged, and that is said") {
  CHECK_THROWS_WITH_AS(static_cast<void>(evaluate({person(1)}, {person(1)}, given(torch::ones({1, 1})),
                                                  DistanceScale::cosine, recipe::EvaluationPlan{})),
                       doctest::Contains("there is no metric to evaluate rankings with"), Error);
}

namespace {

Sample dressed(std::int64_t identity, std::int64_t clothes, std::int64_t camera = unknown_camera) {
  auto sample = person(identity, camera);
  sample.clothes = clothes;
  return sample;
}

}  // namespace

TEST_CASE("clothes decide which images of a person count when asked") {
  // In the query's clothes, in others, and of another person; and a query without others.
  const std::vector<Sample> query{dressed(1, 0), dressed(2, 5)};
  const std::vector<Sample> gallery{dressed(1, 0), dressed(3, 0), dressed(1, 1), dressed(2, 5)};
  const auto distances = given(torch::tensor({{0.1F, 0.2F, 0.3F, 0.9F}, {0.9F, 0.2F, 0.8F, 0.1F}}));
  const auto judged = [&](const std::string& mode) {
    return evaluate_all(query, gallery, distances, CameraMode::single, {"evaluate.clothes=" + mode});
  };
  const auto any = judged("\"any\"");
  CHECK(any.valid_queries == 2);
  CHECK(column_of(any.per_query.columns, "ap") == std::vector<double>{(1.0 + 2.0 / 3) / 2, 1.0});
  CHECK(any.positive_pairs == 3);
  CHECK(any.note.empty());

  const auto changed = judged("\"changed\"");
  CHECK(changed.valid_queries == 1);
  CHECK(column_of(changed.per_query.columns, "ap").at(0) == 0.5);  // behind the other person alone
  CHECK(changed.positive_pairs == 1);
  CHECK(changed.negative_pairs == 5);
  CHECK(contains(changed.note, "changed clothes: images in the clothes of the query are ignored"));

  const auto same = judged("\"same\"");
  CHECK(column_of(same.per_query.columns, "ap") == std::vector<double>{1.0, 1.0});
  CHECK(same.positive_pairs == 2);
  CHECK(contains(same.note, "same clothes: images in other clothes"));
}

TEST_CASE("evaluation by clothes needs them, and says so when nothing is left") {
  const auto refused = [](const Sample& query, const Sample& gallery) {
    try {
      static_cast<void>(evaluate_all({query}, {gallery}, given(torch::ones({1, 1})), CameraMode::single,
                                     {"evaluate.clothes=\"changed\""}));
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(contains(refused(dressed(1, 0), person(1)), "of 2 images 1 have none"));
  CHECK(contains(
      refused(dressed(1, 0), dressed(1, 0)),
      "all gallery images of the query's identity show the clothes of the query and are ignored; set "
      "clothes = \"any\" to count them"));
}

TEST_CASE("a query that is in the gallery is left out of its own ranking, and of the pairs") {
  const auto itself = person(5);
  const std::vector<Sample> gallery{itself, person(6), person(5), person(unlabelled_identity)};
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

TEST_CASE("a gallery of a single shot has one image of each identity") {
  // Of each of 5 identities 4 images. A query's nearest wrong image is nearer than half of the right ones,
  // and all other wrong images are far away.
  std::vector<Sample> gallery;
  for (std::int64_t i = 0; i < 20; ++i) gallery.push_back(person(i / 4));
  auto distances = torch::full({1, 20}, 9.0F);
  for (int i = 0; i < 4; ++i) distances[0][i] = i < 2 ? 0.1F : 0.5F;
  for (int i = 4; i < 8; ++i) distances[0][i] = 0.3F;
  const auto draw = [&](const std::string& count) {
    return evaluate_all({person(0)}, gallery, given(distances), CameraMode::single,
                        {"evaluate.single_gallery_shot=" + count});
  };
  const auto scores = draw("100");
  CHECK(scores.queries == 1);
  CHECK(scores.valid_queries == 1);
  CHECK(value_of(scores, "rank1") > 0.3);  // 0.5 on average
  CHECK(value_of(scores, "rank1") < 0.7);
  CHECK(value_of(scores, "rank5") == 1);
  // The right image is at rank 1 or 2, so the mean of 1 / rank follows.
  CHECK(map_of(scores) == doctest::Approx(0.5 + value_of(scores, "rank1") / 2));
  CHECK(column_of(scores.per_query.columns, "first_rank").at(0) ==
        doctest::Approx(2 - value_of(scores, "rank1")));
  CHECK(scores.per_query.queries.at(0).matches == 4);
  CHECK(scores.positive_pairs == 4);
  CHECK(contains(scores.note, "single gallery shot: one image of each identity, mean of 100 draws"));
  CHECK(map_of(draw("100")) == map_of(scores));
  CHECK(contains(draw("1").note, "mean of 1 draw"));
  CHECK(draw("0").note.find("shot") == std::string::npos);
}

TEST_CASE("single shots are drawn of what cameras leave, and in the same way for each query") {
  // Each query has right images under both cameras; only those of the other count.
  std::vector<Sample> gallery;
  for (std::int64_t i = 0; i < 40; ++i) gallery.push_back(person(i / 4, i % 2 + 1));
  const std::vector<Sample> query{person(0, 1), person(0, 1), person(0, 2)};
  auto distances = torch::rand({1, 40}).repeat({3, 1});
  const auto scores =
      evaluate_all(query, gallery, given(distances), CameraMode::known, {"evaluate.single_gallery_shot=10"});
  CHECK(scores.valid_queries == 3);
  const auto& ap = column_of(scores.per_query.columns, "ap");
  CHECK(ap.at(0) == ap.at(1));
  CHECK(scores.per_query.queries.at(0).matches == 2);
}

TEST_CASE("an image that is drawn for the gallery is no query of that draw") {
  // One identity of two images, both of which are query and gallery: each is judged when the other is drawn.
  const auto a = person(1);
  const auto b = person(1);
  const std::vector<Sample> images{a, b, person(2)};
  const auto plan = test::real_metrics({"evaluate.single_gallery_shot=40", "evaluate.cameras=\"single\""});
  const auto distances = given(torch::tensor({{0.0F, 0.1F, 0.2F}, {0.1F, 0.0F, 0.05F}, {0.2F, 0.2F, 0.0F}}));
  const auto scores =
      evaluate(images, images, distances, DistanceScale::other, plan, "evaluation", {{0}, {1}, {2}});
  CHECK(scores.valid_queries == 2);
  CHECK(column_of(scores.per_query.columns, "ap").at(0) == 1);
  CHECK(column_of(scores.per_query.columns, "ap").at(1) == 0.5);
  // About half of the 40 draws have a, the others b: together 40 queries.
  const double rank1 = value_of(scores, "rank1");
  CHECK(rank1 * 40 == doctest::Approx(std::round(rank1 * 40)));
  CHECK(rank1 > 0.2);
  CHECK(rank1 < 0.8);
}

TEST_CASE(
    "a gallery that is read piece by piece gives the same distances, and never much of it is asked for") {
  torch::manual_seed(3);
  constexpr std::int64_t dim = 4096;  // 1024 rows a piece
  const auto query = torch::randn({3, dim});
  const auto gallery = torch::randn({2500, dim});
  std::int64_t most = 0;
  std::int64_t read = 0;
  const auto rows = [&](std::int64_t first, std::int64_t last) {
    most = std::max(most, last - first);
    read += last - first;
    return gallery.slice(0, first, last);
  };
  const auto streamed = streamed_cosine_distances(query, 2500, dim, rows, "query", "gallery");
  const auto whole = cosine_distances(query, gallery);
  CHECK((streamed(0, 3) - whole(0, 3)).abs().max().item<float>() < 1e-6);
  CHECK(most == 1024);
  CHECK(read == 2500);
  CHECK((streamed(1, 2) - whole(1, 2)).abs().max().item<float>() < 1e-6);

  auto bad = gallery.clone();
  bad[2000].zero_();
  const auto of_bad = streamed_cosine_distances(
      query, 2500, dim, [&](std::int64_t first, std::int64_t last) { return bad.slice(0, first, last); },
      "query", "gallery.shards.csv");
  CHECK_THROWS_WITH_AS(static_cast<void>(of_bad(0, 1)),
                       doctest::Contains("gallery.shards.csv: error: row 2000 (from 0) has length 0"),
                       DataError);
  CHECK_THROWS_WITH_AS(static_cast<void>(streamed_cosine_distances(query, 2500, 3, rows, "query", "gallery")),
                       doctest::Contains("its descriptors have 3 numbers"), DataError);
}
