#include "ranking/part_scores.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ranking/evaluation.h"
#include "real_metrics.h"

namespace kindred::test {
using namespace kindred::ranking;  // NOLINT
namespace {

using Part = results::PartScores::Part;

Sample seen(std::int64_t identity, std::int64_t camera, const std::string& domain = "") {
  static int number = 0;
  return {"image" + std::to_string(number++) + ".png", identity, camera, domain, Split::gallery};
}

/// Two queries of camera 1 and one of camera 2. Of the first the right image of camera 2 is before the wrong
/// one there, that of camera 3 behind; the second has its right image on camera 2 alone, behind the wrong
/// one.
struct Search {
  std::vector<Sample> query{seen(1, 1, "day"), seen(2, 1, "night"), seen(1, 2, "day")};
  std::vector<Sample> gallery{seen(1, 2), seen(2, 2), seen(1, 3), seen(9, 3), seen(1, 1), seen(-1, 3)};
  torch::Tensor distances = torch::tensor({{0.2F, 0.5F, 0.9F, 0.3F, 0.1F, 0.0F},
                                           {0.1F, 0.5F, 0.3F, 0.4F, 0.9F, 0.0F},
                                           {0.1F, 0.8F, 0.2F, 0.3F, 0.7F, 0.0F}});

  [[nodiscard]] results::Evaluation evaluated(recipe::CameraMode cameras = recipe::CameraMode::known) const {
    auto plan = real_metrics({"metric.retrieval.ranks=[1]"});
    plan.evaluate.cameras = cameras;
    return evaluate(
        query, gallery,
        [&](std::int64_t first, std::int64_t last) { return distances.slice(0, first, last); },
        DistanceScale::other, plan);
  }
};

TEST_CASE("a pair of cameras is scored by the gallery images of the one camera alone") {
  const auto parts = Search().evaluated().parts;
  REQUIRE(parts.figures.size() == 3);
  CHECK(parts.figures[0].name == "mAP");
  CHECK(parts.figures[1].name == "rank1");
  REQUIRE(parts.camera_pairs.size() == 4);
  const auto check = [&](std::size_t at, const Part& wanted) {
    const auto& part = parts.camera_pairs[at];
    CAPTURE(at);
    CHECK(part.query == wanted.query);
    CHECK(part.gallery == wanted.gallery);
    CHECK(part.queries == wanted.queries);
    CHECK(part.values[0] == doctest::Approx(wanted.values[0]));
    CHECK(part.values[1] == doctest::Approx(wanted.values[1]));
  };
  // Of camera 2 the first query ranks 0.2 before 0.5: AP 1; the second 0.5 behind 0.1: AP 1/2.
  check(0, {"1", "2", 2, {0.75, 0.5}});
  // Of camera 3, junk aside, 0.9 is behind 0.3.
  check(1, {"1", "3", 1, {0.5, 0}});
  check(2, {"2", "1", 1, {1, 1}});
  check(3, {"2", "3", 1, {1, 1}});
}

TEST_CASE("a domain is scored by its queries in the whole gallery") {
  const auto evaluation = Search().evaluated();
  const auto& domains = evaluation.parts.domains;
  REQUIRE(domains.size() == 2);
  CHECK(domains[0].query == "day");
  CHECK(domains[0].gallery.empty());
  CHECK(domains[0].queries == 2);
  CHECK(domains[1].query == "night");
  const auto& ap = column_of(evaluation.per_query.columns, "ap");
  CHECK(domains[0].values[0] == doctest::Approx((ap[0] + ap[2]) / 2));
  CHECK(domains[1].values[0] == doctest::Approx(ap[1]));
}

TEST_CASE("where cameras are not used there are no pairs, and of one domain there is no part") {
  Search search;
  for (auto& query : search.query) query.domain = "day";
  const auto parts = search.evaluated(recipe::CameraMode::single).parts;
  CHECK(parts.camera_pairs.empty());
  CHECK(parts.domains.empty());
}

TEST_CASE("images that a query must not find, and images without a camera, are in no camera's part") {
  const GalleryCameras cameras({seen(1, 5), seen(2, 5), seen(1, unknown_camera), seen(3, 5), seen(1, 5)});
  const std::vector<float> distances{0.4F, 0.1F, 0.1F, 0.2F, 0.3F};
  const auto ranks =
      cameras.ranks(distances, std::vector<std::int32_t>{0, 2, 4}, std::vector<std::int32_t>{1});
  REQUIRE(ranks.size() == 1);
  CHECK(ranks[0].camera == 5);
  CHECK(ranks[0].ranks.ranks == std::vector<std::int64_t>{2, 3});
  CHECK(ranks[0].ranks.ranked == 3);
}

}  // namespace
}  // namespace kindred::test
