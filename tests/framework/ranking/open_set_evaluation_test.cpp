#include "ranking/evaluation.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "real_metrics.h"
#include "results/evaluation_file.h"
#include "results/evaluation_text.h"
#include "small_rankings.h"

using namespace kindred;
using namespace kindred::ranking;
using namespace kindred::test;

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
  const std::vector<Sample> query{person(5, 1), person(9, 1), person(unlabeled_identity, 1),
                                  person(junk_identity, 1)};
  const std::vector<Sample> gallery{person(5, 1),              // the first query's camera
                                    person(5, 2),              // right
                                    person(junk_identity, 2),  // never
                                    person(0, 1),              // distractors
                                    person(unlabeled_identity, 2)};
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
  const std::string reason = "there are no negative pairs; evaluate with a gallery of several people";
  CHECK(contains(results::evaluation_text(scores), "\n? open_set: " + reason + "\n"));
  const auto json = results::evaluation_json(scores);
  CHECK(json["figures"]["AUC"]["value"].is_null());
  CHECK(json["figures"]["AUC"]["caution"] == reason);
}
