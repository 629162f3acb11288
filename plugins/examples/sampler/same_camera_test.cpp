#include "same_camera.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <vector>

#include "kindred/core/error.h"

using my_plugins::SameCamera;

namespace {

/// 7 images of camera 1 and 5 of camera 4.
std::vector<kindred::Sample> twelve_samples() {
  std::vector<kindred::Sample> samples(12);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].camera = i < 7 ? 1 : 4;
  return samples;
}

}  // namespace

TEST_CASE("a batch is of one camera, and no image is drawn twice") {
  const auto samples = twelve_samples();
  const SameCamera sampler({.batch_size = 3}, {samples});
  kindred::RandomStream random(1);
  const auto batches = sampler.batches(1, random);
  REQUIRE(batches.size() == 3);  // two of camera 1, one of camera 4
  std::set<std::size_t> drawn;
  for (const auto& batch : batches) {
    REQUIRE(batch.size() == 3);
    for (const auto index : batch) {
      CHECK(samples[index].camera == samples[batch[0]].camera);
      CHECK(drawn.insert(index).second);
    }
  }
}

TEST_CASE("the stream decides the batches") {
  const auto samples = twelve_samples();
  const SameCamera sampler({.batch_size = 3}, {samples});
  kindred::RandomStream one(1);
  kindred::RandomStream same(1);
  kindred::RandomStream other(2);
  const auto batches = sampler.batches(1, one);
  CHECK(sampler.batches(1, same) == batches);
  CHECK(sampler.batches(1, other) != batches);
}

TEST_CASE("a batch that no camera can fill is an error") {
  const auto samples = twelve_samples();
  CHECK_THROWS_WITH_AS(SameCamera({.batch_size = 8}, {samples}),
                       doctest::Contains("the largest has 7; lower batch_size"), kindred::ComponentError);
}
