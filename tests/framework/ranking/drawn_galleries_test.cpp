#include "ranking/drawn_galleries.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "ranking/evaluation.h"
#include "real_metrics.h"
#include "small_rankings.h"

using namespace kindred;
using namespace kindred::ranking;
using namespace kindred::test;
using recipe::CameraMode;

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

TEST_CASE("single shots of distractors that are one person and of several are not comparable") {
  const std::vector<Sample> query{person(1)};
  const std::vector<Sample> one{person(1), person(5), person(5)};
  auto several = one;
  several.back().identity = 6;
  const auto evaluated = [&](const std::vector<Sample>& gallery, const std::string& count) {
    return evaluate_all(query, gallery, given(torch::tensor({{0.2F, 0.1F, 0.3F}})), CameraMode::single,
                        {"evaluate.single_gallery_shot=" + count});
  };
  CHECK_FALSE(results::comparable(evaluated(one, "10"), evaluated(several, "10")));
  CHECK(results::comparable(evaluated(one, "0"), evaluated(several, "0")));
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
