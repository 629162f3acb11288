#include "training/joint_batch.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rank_threads.h"

using namespace kindred;
using namespace kindred::training;

namespace {

using Images = std::vector<std::size_t>;

TEST_CASE("a process alone has its own batch and wishes") {
  const auto joint = joint_batch(system::Ranks::alone(), {7, 3}, 0, {true, false});
  CHECK(joint.images == std::vector<Images>{{7, 3}});
  CHECK(joint.wishes.stop);
  CHECK_FALSE(joint.wishes.checkpoint);
}

TEST_CASE("all ranks have the images and the wishes of all") {
  test::on_ranks(3, [](const system::Ranks& ranks) {
    const std::vector<Images> shares{{5, 900'000'000'000}, {}, {8, 1, 2}};
    const auto own = static_cast<std::size_t>(ranks.rank());
    const auto joint = joint_batch(ranks, shares[own], 4, {own == 2, own == 1});
    CHECK(joint.images == shares);
    CHECK(joint.all_images() == Images{5, 900'000'000'000, 8, 1, 2});
    CHECK(joint.sizes() == std::vector<std::int64_t>{2, 0, 3});
    CHECK(joint.wishes.stop);
    CHECK(joint.wishes.checkpoint);
    const auto end = joint_batch(ranks, {}, 0, {});
    CHECK(end.all_images().empty());
    CHECK_FALSE(end.wishes.stop);
    CHECK_FALSE(end.wishes.checkpoint);
  });
}

}  // namespace
