#include "training/batch_pairs.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

class FixedBatches : public Sampler {
 public:
  explicit FixedBatches(std::vector<std::vector<std::size_t>> batches) : batches_(std::move(batches)) {}
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t, RandomStream&) const override {
    return batches_;
  }

 private:
  std::vector<std::vector<std::size_t>> batches_;
};

const std::vector<std::int64_t> pair_labels{0, 0, 1, 1, 2, 2};

}  // namespace

TEST_CASE("an anchor has a pair when its batch holds another of its own and one of another") {
  CHECK(anchors_with_pairs({1, 1, 2}) == 2);
  CHECK(anchors_with_pairs({1, 1, 2, 2}) == 4);
  CHECK(anchors_with_pairs({1, 2, 3}) == 0);
  CHECK(anchors_with_pairs({1, 1, 1}) == 0);
  CHECK(anchors_with_pairs({}) == 0);
  CHECK(share_with_pairs({{0, 1, 2}, {0, 2, 4}}, pair_labels) == doctest::Approx(2.0 / 6));
  CHECK(share_with_pairs({}, pair_labels) == 0);
}

TEST_CASE("the batches of an epoch are its own, and of the recipe's seed") {
  const auto catalog = tiny_catalog();
  const std::vector<Sample> samples(20);
  const auto batches = [&](std::int64_t epoch, const std::string& seed) {
    const auto plan = tiny_plan(catalog, {"seed=" + seed});
    return batches_of(plan, *plan.sampler.create({samples}), epoch);
  };
  const auto first = batches(1, "3");
  REQUIRE(first.size() == 5);
  CHECK(batches(1, "3") == first);
  CHECK(batches(2, "3") != first);
  CHECK(batches(1, "4") != first);
}

TEST_CASE("a sampler without any pairs is refused at its place, and one with few is warned of") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog);
  const auto said = [&](std::vector<std::vector<std::size_t>> batches, const std::string& terms) {
    return check_pairs(plan, FixedBatches(std::move(batches)), pair_labels, terms);
  };
  CHECK(said({{0, 1, 2, 3}}, "'triplet(g1)'").empty());
  CHECK(said({{0, 2, 4}}, "").empty());
  CHECK(said({{0, 1, 2, 4, 5, 3}, {0, 2, 4}, {1, 3, 5}, {1, 2, 4}}, "'triplet(g1)'") ==
        "warning: only 40 % of the images of a batch have another image of their identity in it and one of "
        "another; 'triplet(g1)' can learn from these alone. Use a sampler with several images of each "
        "identity");
  CHECK(message_of<RecipeError>([&] {
          static_cast<void>(said({{0, 2, 4}, {0, 1}}, "'triplet(g1)'"));
        }) ==
        "tiny.toml:8:1: error: sampler 'shuffled' makes batches in which no image has both another image of "
        "its identity and one of another identity, so 'triplet(g1)' would always be 0; use a sampler with "
        "several identities and at least two images of each in a batch, or remove the loss");
}

TEST_CASE("without data a sampler is judged by made samples") {
  const auto catalog = tiny_catalog();
  CHECK_NOTHROW(check_pairs_without_data(tiny_plan(catalog, {"sampler.batch_size=64"}), "'triplet(g1)'"));
  const auto pairs_alone = tiny_plan(catalog, {"sampler.batch_size=2"});  // never both
  CHECK_THROWS_AS(check_pairs_without_data(pairs_alone, "'triplet(g1)'"), RecipeError);
  CHECK_NOTHROW(check_pairs_without_data(pairs_alone, ""));
}
