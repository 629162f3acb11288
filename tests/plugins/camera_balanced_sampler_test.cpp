#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "camera_balanced_sampler.h"
#include "kindred/core/error.h"
#include "sampler_epochs.h"
#include "temporary_folder.h"

using namespace kindred::samplers;

namespace kindred::test {
namespace {

CameraBalancedSampler camera_sampler(const std::vector<Sample>& samples, std::int64_t p, std::int64_t k) {
  return {sizes<CameraBalancedSampler>(p, k), {samples}};
}

/// An identity with `counts[i]` images of camera i + 1, for each element; identities from 1.
std::vector<Sample> seen_by_cameras(const std::vector<std::vector<int>>& people) {
  std::vector<Sample> samples;
  for (std::size_t identity = 0; identity < people.size(); ++identity) {
    for (std::size_t camera = 0; camera < people[identity].size(); ++camera) {
      for (int i = 0; i < people[identity][camera]; ++i) {
        Sample sample;
        sample.identity = static_cast<std::int64_t>(identity + 1);
        sample.camera = static_cast<std::int64_t>(camera + 1);
        sample.path = std::to_string(samples.size()) + ".png";
        samples.push_back(sample);
      }
    }
  }
  return samples;
}

TEST_CASE("a camera-balanced group shows as many cameras as have images left") {
  // Of the third identity camera 1 must give an image to each group, or it is left alone in the last one.
  const auto samples = seen_by_cameras({{4, 2, 2}, {3, 3}, {4, 1, 1, 1, 1}, {6}});
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto pairs = epoch(camera_sampler(samples, 1, 2), seed);
    check_form(samples, pairs, 1, 2);
    CHECK(groups_of(samples, pairs, 2) == std::map<std::int64_t, int>{{1, 4}, {2, 3}, {3, 4}, {4, 3}});
    std::set<std::size_t> used;
    for (const auto& pair : pairs) {
      used.insert(pair.begin(), pair.end());
      const bool alone = samples[pair[0]].identity == 4;
      CHECK((samples[pair[0]].camera == samples[pair[1]].camera) == alone);
    }
    CHECK(used.size() == 28);  // no image twice

    const auto fours = epoch(camera_sampler(samples, 1, 4), seed);
    check_form(samples, fours, 1, 4);
    CHECK(groups_of(samples, fours, 4) == std::map<std::int64_t, int>{{1, 2}, {2, 1}, {3, 2}, {4, 1}});
    for (const auto& four : fours) {
      std::map<std::int64_t, int> cameras;
      for (const auto i : four) ++cameras[samples[i].camera];
      switch (samples[four[0]].identity) {
        case 1:  // two of camera 1, which has as many images as the others together
          CHECK(cameras == std::map<std::int64_t, int>{{1, 2}, {2, 1}, {3, 1}});
          break;
        case 2:
          CHECK(cameras == std::map<std::int64_t, int>{{1, 2}, {2, 2}});
          break;
        case 3:  // four cameras in the first group, the two that are left in the second
          CHECK((cameras.size() == 4 ||
                 cameras == std::map<std::int64_t, int>{{1, 3}, {cameras.rbegin()->first, 1}}));
          break;
        default:
          CHECK(cameras.size() == 1);
      }
    }
  }
}

TEST_CASE("a camera-balanced identity with fewer than K images goes round its cameras, with replacement") {
  const auto samples = seen_by_cameras({{3, 1}, {1}});
  std::map<std::size_t, int> drawn;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto batches = epoch(camera_sampler(samples, 2, 6), seed);
    REQUIRE(batches.size() == 1);
    check_form(samples, batches, 2, 6);
    int of_second_camera = 0;
    for (const auto i : batches[0]) {
      ++drawn[i];
      of_second_camera += samples[i].camera == 2 ? 1 : 0;
    }
    CHECK(of_second_camera == 3);
  }
  for (const std::size_t i : {0U, 1U, 2U}) CHECK(std::abs(drawn[i] - 1000) < 5 * 26);
  CHECK(drawn[3] == 3000);
  CHECK(drawn[4] == 6000);
}

TEST_CASE("a camera-balanced sampler takes images and cameras of equal standing alike") {
  const auto samples = seen_by_cameras({{2, 2, 2}});
  std::map<std::size_t, int> first;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) ++first[epoch(camera_sampler(samples, 1, 2), seed)[0][0]];
  REQUIRE(first.size() == 6);
  for (const auto& [index, count] : first) CHECK(std::abs(count - 1000) < 145);
}

TEST_CASE("a camera-balanced epoch keeps the form of its batches and depends on the random stream alone") {
  const auto samples = seen_by_cameras({{4, 2, 2}, {3, 3}, {4, 1, 1, 1, 1}, {6}, {1}, {0, 7, 9}});
  const auto sampler = camera_sampler(samples, 3, 4);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    check_form(samples, epoch(sampler, seed), 3, 4);
    CHECK(epoch(sampler, seed) == epoch(sampler, seed, 9));
  }
  CHECK(epoch(sampler, 1) != epoch(sampler, 2));
}

TEST_CASE("a camera-balanced sampler refuses images of an unknown camera by name") {
  auto samples = seen_by_cameras({{2, 2}, {3}});
  samples[4].camera = unknown_camera;
  CHECK(message_of<ComponentError>([&] { camera_sampler(samples, 2, 2); }) ==
        "sampler/camera_balanced: error: the camera of training image '4.png' is unknown; use a sampler that "
        "does not need cameras");
}

TEST_CASE("a camera-balanced sampler refuses too few identities in its own name") {
  CHECK(message_of<ComponentError>([] {
          camera_sampler(seen_by_cameras({{3, 3}, {3, 3}}), 3, 2);
        }) ==
        "sampler/camera_balanced: error: identities_per_batch = 3, but the training data has 2 identities; "
        "choose 2 or fewer");
}

}  // namespace
}  // namespace kindred::test
