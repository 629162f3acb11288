#include "ranking/evaluation.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "real_metrics.h"
#include "small_rankings.h"

using namespace kindred;
using namespace kindred::ranking;
using namespace kindred::test;
using recipe::CameraMode;

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
  CHECK(contains(changed.note, "changed clothes: images of the query's identity in its clothes are ignored"));

  const auto same = judged("\"same\"");
  CHECK(column_of(same.per_query.columns, "ap") == std::vector<double>{1.0, 1.0});
  CHECK(same.positive_pairs == 2);
  CHECK(contains(same.note, "same clothes: images of the query's identity in other clothes"));
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
