#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "identity_sampler.h"
#include "kindred/core/error.h"
#include "sampler_epochs.h"
#include "temporary_folder.h"

using namespace kindred::samplers;

namespace kindred::test {
namespace {

IdentitySampler identity_sampler(const std::vector<Sample>& samples, std::int64_t p, std::int64_t k) {
  return {sizes<IdentitySampler>(p, k), {samples}};
}

/// For each identity, from 1, and each of its tracklets, as many frames.
std::vector<Sample> in_tracklets(const std::vector<std::vector<int>>& people) {
  std::vector<Sample> samples;
  for (std::size_t identity = 0; identity < people.size(); ++identity) {
    for (std::size_t tracklet = 0; tracklet < people[identity].size(); ++tracklet) {
      for (int frame = 0; frame < people[identity][tracklet]; ++frame) {
        Sample sample;
        sample.identity = static_cast<std::int64_t>(identity + 1);
        sample.tracklet = std::to_string(tracklet);
        sample.path = std::to_string(samples.size()) + ".png";
        samples.push_back(sample);
      }
    }
  }
  return samples;
}

IdentitySampler tracklet_sampler(const std::vector<Sample>& samples, std::int64_t p, std::int64_t k,
                                 std::int64_t frames) {
  auto params = sizes<IdentitySampler>(p, k);
  params.frames = frames;
  return {params, {samples}};
}

TEST_CASE("a batch holds K images each of P distinct identities, an identity's images side by side") {
  const auto samples = people({9, 4, 6, 12, 8, 5, 4, 7});
  const auto sampler = identity_sampler(samples, 3, 4);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto batches = epoch(sampler, seed);
    REQUIRE_FALSE(batches.empty());
    for (const auto& batch : batches) {
      REQUIRE(batch.size() == 12);
      std::set<std::int64_t> identities;
      for (std::size_t i = 0; i < batch.size(); i += 4) {
        identities.insert(samples[batch[i]].identity);
        for (std::size_t j = i; j < i + 4; ++j) {
          CHECK(samples[batch[j]].identity == samples[batch[i]].identity);
        }
        CHECK(
            std::set(batch.begin() + static_cast<long>(i), batch.begin() + static_cast<long>(i) + 4).size() ==
            4);
      }
      CHECK(identities.size() == 3);
    }
  }
}

TEST_CASE("an identity gives at most its whole groups, and no image twice, in an epoch") {
  const auto samples = people({9, 4, 6, 12, 8, 5, 4, 7});
  const auto sampler = identity_sampler(samples, 3, 4);
  const std::map<std::int64_t, int> whole_groups = {{100, 2}, {99, 1}, {98, 1}, {97, 3},
                                                    {96, 2},  {95, 1}, {94, 1}, {93, 1}};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::map<std::int64_t, int> groups;
    std::set<std::size_t> used;
    std::size_t images = 0;
    for (const auto& batch : epoch(sampler, seed)) {
      for (std::size_t i = 0; i < batch.size(); i += 4) ++groups[samples[batch[i]].identity];
      used.insert(batch.begin(), batch.end());
      images += batch.size();
    }
    CHECK(used.size() == images);
    int unspent = 0;
    for (const auto& [identity, count] : whole_groups) {
      CHECK(groups[identity] <= count);
      unspent += groups[identity] < count ? 1 : 0;
    }
    // The epoch ends when fewer than P identities have groups left, and no earlier.
    CHECK(unspent < 3);
  }
}

TEST_CASE("with one group each, an epoch takes every identity once as far as whole batches go") {
  const auto samples = people({4, 5, 6, 7, 4, 5, 6});
  const auto batches = epoch(identity_sampler(samples, 2, 4), 1);
  REQUIRE(batches.size() == 3);
  std::set<std::int64_t> identities;
  for (const auto& batch : batches) {
    for (const auto i : batch) identities.insert(samples[i].identity);
  }
  CHECK(identities.size() == 6);
}

TEST_CASE("an identity with fewer than K images draws K of them with replacement") {
  const auto samples = people({2, 2});
  const auto sampler = identity_sampler(samples, 2, 4);
  std::map<std::size_t, int> drawn;
  int both = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto batches = epoch(sampler, seed);
    REQUIRE(batches.size() == 1);
    REQUIRE(batches[0].size() == 8);
    for (const auto i : batches[0]) ++drawn[i];
    for (std::size_t group = 0; group < 8; group += 4) {
      const auto first = batches[0].begin() + static_cast<long>(group);
      both += std::set(first, first + 4).size() == 2 ? 1 : 0;
    }
  }
  REQUIRE(drawn.size() == 4);
  for (const auto& [index, count] : drawn) CHECK(std::abs(count - 2000) < 160);  // five standard deviations
  CHECK(std::abs(both - 1750) < 75);  // with replacement 1/8 of the groups hold one image only
}

TEST_CASE("identities and images are drawn uniformly") {
  // One batch of two out of five identities is followed by a second; the fifth identity is left over.
  const auto samples = people({3, 3, 3, 3, 3});
  const auto sampler = identity_sampler(samples, 2, 2);
  std::map<std::int64_t, int> left_over;
  std::map<std::size_t, int> used;
  std::map<std::int64_t, int> first;
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    std::set<std::int64_t> missing = {100, 99, 98, 97, 96};
    const auto batches = epoch(sampler, seed);
    REQUIRE(batches.size() == 2);
    ++first[samples[batches[0][0]].identity];
    for (const auto& batch : batches) {
      for (const auto i : batch) {
        ++used[i];
        missing.erase(samples[i].identity);
      }
    }
    ++left_over[*missing.begin()];
  }
  REQUIRE(left_over.size() == 5);
  for (const auto& [identity, count] : left_over) CHECK(std::abs(count - 1000) < 145);
  for (const auto& [identity, count] : first) CHECK(std::abs(count - 1000) < 145);
  REQUIRE(used.size() == 15);
  for (const auto& [index, count] : used) CHECK(std::abs(count - 5000 * 8 / 15) < 180);
}

TEST_CASE("an epoch depends on the random stream alone") {
  const auto samples = people({9, 4, 6, 12, 8, 5, 4, 7});
  const auto sampler = identity_sampler(samples, 3, 4);
  CHECK(epoch(sampler, 1) == epoch(sampler, 1));
  CHECK(epoch(identity_sampler(samples, 3, 4), 1) == epoch(sampler, 1));
  CHECK(epoch(sampler, 1) != epoch(sampler, 2));
  RandomStream one(4);
  RandomStream two(4);
  CHECK(sampler.batches(1, one) == sampler.batches(7, two));
}

TEST_CASE("too few identities for a batch are refused with what there is and what to change") {
  const auto samples = people({9, 4, 6});
  CHECK(message_of<ComponentError>([&] { identity_sampler(samples, 4, 2); }) ==
        "sampler/identity: error: identities_per_batch = 4, but the training data has 3 identities; choose 3 "
        "or fewer");
  CHECK(epoch(identity_sampler(samples, 3, 4), 1).size() == 1);
  CHECK(message_of<ComponentError>([&] {
          identity_sampler({}, 4, 2);
        }).find("has 0 identities; check the data set") != std::string::npos);
}

TEST_CASE("a training image without an identity is refused by name") {
  auto samples = people({9, 4, 6});
  samples[5].identity = unlabeled_identity;
  samples[5].path = "stray.png";
  CHECK(message_of<ComponentError>([&] {
          identity_sampler(samples, 2, 2);
        }).find("training image 'stray.png' has no identity") != std::string::npos);
}

TEST_CASE("the identity sampler takes frames of K different tracklets, each tracklet once in an epoch") {
  const auto samples = in_tracklets({{30, 20, 10, 40}, {5, 50, 8, 9}});
  for (const std::int64_t frames : {1, 3}) {
    CAPTURE(frames);
    const auto batches = epoch(tracklet_sampler(samples, 2, 2, frames), 7);
    CHECK(batches.size() == 2);  // 4 tracklets of each, 2 at a time
    std::set<std::size_t> images;
    std::map<std::pair<std::int64_t, std::string>, std::int64_t> taken;
    for (const auto& batch : batches) {
      REQUIRE(batch.size() == static_cast<std::size_t>(2 * 2 * frames));
      std::map<std::int64_t, std::set<std::string>> tracklets;
      for (const auto image : batch) {
        images.insert(image);
        tracklets[samples[image].identity].insert(samples[image].tracklet);
        ++taken[{samples[image].identity, samples[image].tracklet}];
      }
      CHECK(tracklets.size() == 2);
      for (const auto& [identity, of] : tracklets) CHECK(of.size() == 2);
    }
    CHECK(images.size() == static_cast<std::size_t>(8 * frames));  // no frame twice
    CHECK(taken.size() == 8);
    for (const auto& [tracklet, count] : taken) CHECK(count == frames);
  }
  const auto sampler = tracklet_sampler(samples, 2, 2, 3);
  CHECK(epoch(sampler, 1) == epoch(sampler, 1));
  CHECK(epoch(sampler, 1) != epoch(sampler, 2));
}

TEST_CASE("an identity with few tracklets goes round them, and a short tracklet round its frames") {
  const auto samples = in_tracklets({{6}, {2, 7}});
  const auto batches = epoch(tracklet_sampler(samples, 2, 3, 2), 3);
  REQUIRE(batches.size() == 1);
  std::map<std::int64_t, std::map<std::string, std::vector<std::size_t>>> taken;
  for (const auto image : batches[0])
    taken[samples[image].identity][samples[image].tracklet].push_back(image);
  const auto distinct = [](const std::vector<std::size_t>& images) {
    return std::set<std::size_t>(images.begin(), images.end()).size();
  };
  CHECK(taken[1]["0"].size() == 6);
  CHECK(distinct(taken[1]["0"]) == 6);  // three times two of its six frames
  CHECK(taken[2]["0"].size() + taken[2]["1"].size() == 6);
  CHECK(taken[2]["0"].size() >= 2);
  CHECK(distinct(taken[2]["0"]) == 2);
  CHECK(distinct(taken[2]["1"]) == taken[2]["1"].size());
}

TEST_CASE(
    "single images among tracklets count as tracklets of one frame, but not where several are asked for") {
  auto samples = in_tracklets({{9, 9}, {9, 9}});
  for (std::int64_t identity = 1; identity <= 2; ++identity) {
    for (int i = 0; i < 2; ++i) {
      Sample sample;
      sample.identity = identity;
      sample.path = "single" + std::to_string(i) + ".png";
      samples.push_back(sample);
    }
  }
  const auto batches = epoch(tracklet_sampler(samples, 2, 4, 1), 5);
  REQUIRE(batches.size() == 1);
  std::map<std::int64_t, std::multiset<std::string>> tracklets;
  for (const auto image : batches[0]) tracklets[samples[image].identity].insert(samples[image].tracklet);
  CHECK(tracklets[1] == std::multiset<std::string>{"", "", "0", "1"});
  CHECK(tracklets[2] == std::multiset<std::string>{"", "", "0", "1"});
  CHECK_THROWS_WITH_AS(static_cast<void>(tracklet_sampler(samples, 2, 2, 4)),
                       "sampler/identity: error: frames = 4, but training image 'single0.png' is not a frame "
                       "of a tracklet; set frames = 1, or train on tracklets alone",
                       ComponentError);
}

}  // namespace
}  // namespace kindred::test
