#include "results/judged_ranking.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kindred::test {
using namespace kindred::results;  // NOLINT
namespace {

struct Known {
  KnownImages images;
  Known& add(const std::string& path, std::int64_t identity, std::int64_t camera) {
    images[path] = {path, identity, camera, "", Split::gallery};
    return *this;
  }
};

QueryMatches ranking_of(const std::vector<std::string>& paths) {
  QueryMatches ranking;
  ranking.query = "q";
  for (const auto& path : paths) ranking.found.push_back({path, 0.5, std::nullopt});
  return ranking;
}

TEST_CASE("images of the query's person and camera, and junk, have no rank") {
  const auto known = Known()
                         .add("q", 1, 1)
                         .add("same camera", 1, 1)
                         .add("right", 1, 2)
                         .add("junk", junk_identity, 3)
                         .add("wrong", 2, 1)
                         .add("nobody", unlabeled_identity, 2)
                         .images;
  const auto ranking = ranking_of({"same camera", "wrong", "junk", "right", "nobody", "same camera"});
  const auto judged = judge_ranking(ranking, known, {.same_camera = true}, 10);
  REQUIRE(judged.images.size() == 3);
  CHECK(judged.images[0].found == 1);
  CHECK(judged.images[0].verdict == Verdict::wrong);
  CHECK(judged.images[1].found == 3);
  CHECK(judged.images[1].verdict == Verdict::right);
  CHECK(judged.images[2].verdict == Verdict::wrong);
  CHECK(judged.left_out == 2);

  SUBCASE("in single-camera mode the own camera counts") {
    const auto single = judge_ranking(ranking, known, {}, 10);
    CHECK(single.images.size() == 5);
    CHECK(single.images[0].verdict == Verdict::right);
    CHECK(single.left_out == 1);
  }
  SUBCASE("what is left out makes room for the next") {
    const auto two = judge_ranking(ranking, known, {.same_camera = true}, 2);
    CHECK(two.images.size() == 2);
    CHECK(two.images[1].found == 3);
  }
}

TEST_CASE("the query itself and images in the wrong clothes have no rank") {
  auto known = Known().add("q", 1, 1).add("red", 1, 2).add("blue", 1, 3).add("other", 2, 1).images;
  known["q"].clothes = known["red"].clothes = known["other"].clothes = 0;
  known["blue"].clothes = 1;
  const auto ranking = ranking_of({"q", "red", "other", "blue"});
  const auto found = [&](const IgnoredImages& ignored) {
    std::vector<std::size_t> places;
    for (const auto& image : judge_ranking(ranking, known, ignored, 10).images) places.push_back(image.found);
    return places;
  };
  CHECK(found({}) == std::vector<std::size_t>{0, 1, 2, 3});
  CHECK(found({.itself = true}) == std::vector<std::size_t>{1, 2, 3});
  CHECK(found({.itself = true, .clothes = recipe::ClothesMode::changed}) == std::vector<std::size_t>{2, 3});
  CHECK(found({.itself = true, .clothes = recipe::ClothesMode::same}) == std::vector<std::size_t>{1, 2});
}

TEST_CASE("without tables the identities of the ranking itself decide") {
  auto ranking = ranking_of({"a", "b", "c"});
  ranking.identity = 7;
  ranking.found[0].identity = 7;
  ranking.found[1].identity = 8;
  const auto judged = judge_ranking(ranking, {}, {.same_camera = true}, 10);
  CHECK(judged.images[0].verdict == Verdict::right);
  CHECK(judged.images[1].verdict == Verdict::wrong);
  CHECK(judged.images[2].verdict == Verdict::wrong);
}

TEST_CASE("of a query that nobody knows nothing is right or wrong") {
  const auto judged =
      judge_ranking(ranking_of({"a", "b"}), Known().add("a", 3, 1).images, {.same_camera = true}, 10);
  CHECK(judged.images[0].verdict == Verdict::unknown);
  CHECK(judged.images[1].verdict == Verdict::unknown);
}

}  // namespace
}  // namespace kindred::test
