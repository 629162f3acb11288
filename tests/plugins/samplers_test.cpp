#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "camera_balanced_sampler.h"
#include "identity_sampler.h"
#include "kindred/core/error.h"
#include "oversampling_sampler.h"
#include "shuffle_sampler.h"
#include "skip_sampler.h"
#include "weighted_urn.h"

using namespace kindred;
using namespace kindred::samplers;

namespace {

using Batches = std::vector<std::vector<std::size_t>>;

/// One identity for each count, with that many images; identities are mixed up among the samples.
std::vector<Sample> people(const std::vector<int>& counts) {
  std::vector<Sample> samples;
  const int most = *std::max_element(counts.begin(), counts.end());
  for (int round = 0; round < most; ++round) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (round >= counts[i]) continue;
      Sample sample;
      sample.identity = static_cast<std::int64_t>(100 - i);
      sample.path = std::to_string(sample.identity) + "_" + std::to_string(round) + ".png";
      samples.push_back(sample);
    }
  }
  return samples;
}

template <class PkSampler>
typename PkSampler::Params sizes(std::int64_t p, std::int64_t k) {
  typename PkSampler::Params params;
  params.identities_per_batch = p;
  params.images_per_identity = k;
  return params;
}

IdentitySampler identity_sampler(const std::vector<Sample>& samples, std::int64_t p, std::int64_t k) {
  return {sizes<IdentitySampler>(p, k), {samples}};
}

OversamplingSampler oversampling_sampler(const std::vector<Sample>& samples, std::int64_t p, std::int64_t k,
                                         std::int64_t threshold) {
  auto params = sizes<OversamplingSampler>(p, k);
  params.threshold = threshold;
  return {params, {samples}};
}

CameraBalancedSampler camera_sampler(const std::vector<Sample>& samples, std::int64_t p, std::int64_t k) {
  return {sizes<CameraBalancedSampler>(p, k), {samples}};
}

Batches epoch(const Sampler& sampler, std::uint64_t seed, std::int64_t number = 1) {
  RandomStream random(seed);
  return sampler.batches(number, random);
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

/// Groups of K images that each identity gets in an epoch.
std::map<std::int64_t, int> groups_of(const std::vector<Sample>& samples, const Batches& batches,
                                      std::size_t k) {
  std::map<std::int64_t, int> groups;
  for (const auto& batch : batches) {
    for (std::size_t i = 0; i < batch.size(); i += k) ++groups[samples[batch[i]].identity];
  }
  return groups;
}

/// Every batch holds P distinct identities with K images side by side, each of its own identity.
void check_form(const std::vector<Sample>& samples, const Batches& batches, std::size_t p, std::size_t k) {
  REQUIRE_FALSE(batches.empty());
  for (const auto& batch : batches) {
    REQUIRE(batch.size() == p * k);
    std::set<std::int64_t> identities;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      REQUIRE(batch[i] < samples.size());
      CHECK(samples[batch[i]].identity == samples[batch[i - i % k]].identity);
      identities.insert(samples[batch[i]].identity);
    }
    CHECK(identities.size() == p);
  }
}

template <class Make>
std::string message_of(Make make) {
  try {
    make();
  } catch (const ComponentError& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

}  // namespace

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
  CHECK(message_of([&] { identity_sampler(samples, 4, 2); }) ==
        "sampler/identity: error: identities_per_batch = 4, but the training data has 3 identities; choose 3 "
        "or fewer");
  CHECK(epoch(identity_sampler(samples, 3, 4), 1).size() == 1);
  CHECK(message_of([&] { identity_sampler({}, 4, 2); }).find("has 0 identities; check the data set") !=
        std::string::npos);
}

TEST_CASE("a training image without an identity is refused by name") {
  auto samples = people({9, 4, 6});
  samples[5].identity = unlabeled_identity;
  samples[5].path = "stray.png";
  CHECK(message_of([&] {
          identity_sampler(samples, 2, 2);
        }).find("training image 'stray.png' has no identity") != std::string::npos);
}

TEST_CASE("the urn draws in proportion to its weights, whatever their number, and never a weight of 0") {
  RandomStream random(1);
  for (const auto& weights : std::vector<std::vector<std::int64_t>>{
           {5}, {1, 3}, {2, 0, 3, 5, 0, 7, 3}, {1, 1, 1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 9}}) {
    const WeightedUrn urn(weights);
    double sum = 0;
    for (const auto weight : weights) sum += static_cast<double>(weight);
    std::vector<int> drawn(weights.size(), 0);
    for (int i = 0; i < 20000; ++i) ++drawn.at(urn.draw(random));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double share = static_cast<double>(weights[i]) / sum;
      CHECK(std::abs(drawn[i] - 20000 * share) <= 5 * std::sqrt(20000 * share * (1 - share)));
    }
  }
}

TEST_CASE("the urn follows changes of its weights") {
  RandomStream random(2);
  WeightedUrn urn({4, 4, 4, 4, 4});
  for (const std::size_t gone : {0U, 2U, 3U, 4U}) urn.set(gone, 0);
  for (int i = 0; i < 100; ++i) CHECK(urn.draw(random) == 1);
  urn.set(4, 12);
  int last = 0;
  for (int i = 0; i < 4000; ++i) last += urn.draw(random) == 4 ? 1 : 0;
  CHECK(std::abs(last - 3000) < 5 * 28);
}

TEST_CASE("oversampling doubles the identities below the threshold and no others") {
  // With one identity a batch, an epoch takes all groups there are.
  const auto samples = people({2, 5, 6, 7, 3});
  const auto sampler = oversampling_sampler(samples, 1, 3, 6);
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto batches = epoch(sampler, seed);
    check_form(samples, batches, 1, 3);
    // 2 -> 4 images, 5 -> 10, 3 -> 6; 6 and 7 as they are; a remainder is dropped.
    CHECK(groups_of(samples, batches, 3) ==
          std::map<std::int64_t, int>{{100, 1}, {99, 3}, {98, 2}, {97, 2}, {96, 2}});
    std::map<std::int64_t, std::set<std::size_t>> images;
    for (const auto& batch : batches) {
      for (const auto i : batch) images[samples[i].identity].insert(i);
    }
    CHECK(images[98].size() == 6);  // each once
    CHECK(images[97].size() == 6);
  }
}

TEST_CASE("oversampling draws a doubled identity's images with replacement, all alike, and K at least") {
  const auto samples = people({2, 2});
  std::map<std::size_t, int> drawn;
  int both = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto batches = epoch(oversampling_sampler(samples, 2, 2, 100), seed);
    REQUIRE(batches.size() == 2);
    for (const auto& batch : batches) {
      for (std::size_t i = 0; i < 4; i += 2) both += batch[i] != batch[i + 1] ? 1 : 0;
      for (const auto i : batch) ++drawn[i];
    }
  }
  for (const auto& [index, count] : drawn) CHECK(std::abs(count - 2000) < 5 * 32);
  CHECK(std::abs(both - 2000) < 5 * 32);  // half of the pairs show one image twice

  const auto few = epoch(oversampling_sampler(samples, 2, 7, 100), 1);
  REQUIRE(few.size() == 1);
  check_form(samples, few, 2, 7);
}

TEST_CASE("a batch's identities are drawn one after the other in proportion to their images") {
  const auto samples = people({10, 20, 30});
  const auto sampler = oversampling_sampler(samples, 2, 10, 15);
  std::map<std::int64_t, int> first;
  std::map<std::pair<std::int64_t, std::int64_t>, int> pairs;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    const auto batches = epoch(sampler, seed);
    const auto one = samples[batches[0][0]].identity;
    const auto two = samples[batches[0][10]].identity;
    ++first[one];
    ++pairs[{one, two}];
  }
  // The first identity's doubling does not count: 10, 20, 30 of 60.
  CHECK(std::abs(first[100] - 1000) < 5 * 29);
  CHECK(std::abs(first[99] - 2000) < 5 * 37);
  CHECK(std::abs(first[98] - 3000) < 5 * 39);
  // The second one of what is left: 1/6 x 2/5, 1/6 x 3/5, 2/6 x 1/4, ...
  const std::map<std::pair<std::int64_t, std::int64_t>, double> expected = {
      {{100, 99}, 400}, {{100, 98}, 600},  {{99, 100}, 500},
      {{99, 98}, 1500}, {{98, 100}, 1000}, {{98, 99}, 2000}};
  double chi_square = 0;
  for (const auto& [pair, count] : expected) chi_square += std::pow(pairs[pair] - count, 2) / count;
  CHECK(chi_square < 5 + 5 * std::sqrt(10.0));
}

TEST_CASE("oversampling keeps the form of its batches and depends on the random stream alone") {
  const auto samples = people({9, 4, 6, 12, 8, 5, 4, 7, 30, 1});
  const auto sampler = oversampling_sampler(samples, 3, 4, 8);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto batches = epoch(sampler, seed);
    check_form(samples, batches, 3, 4);
    CHECK(epoch(sampler, seed, 7) == batches);
    // The epoch ends when fewer than P identities have groups left, and no earlier.
    const auto groups = groups_of(samples, batches, 4);
    const std::map<std::int64_t, int> whole = {{100, 2}, {99, 2}, {98, 3}, {97, 3}, {96, 2},
                                               {95, 2},  {94, 2}, {93, 3}, {92, 7}, {91, 1}};
    int unspent = 0;
    for (const auto& [identity, count] : whole) {
      const auto used = groups.count(identity) > 0 ? groups.at(identity) : 0;
      CHECK(used <= count);
      unspent += used < count ? 1 : 0;
    }
    CHECK(unspent < 3);
  }
  CHECK(epoch(sampler, 1) != epoch(sampler, 2));
}

TEST_CASE("skip doubles only in epochs that the period divides, and is oversampling then") {
  const auto samples = people({4, 12, 8, 9});
  auto params = sizes<SkipSampler>(1, 4);
  const SkipSampler sampler(params, {samples});  // threshold 10, period 10
  for (std::int64_t number = 1; number <= 40; ++number) {
    const auto batches = epoch(sampler, static_cast<std::uint64_t>(number), number);
    check_form(samples, batches, 1, 4);
    const bool doubled = number == 10 || number == 20 || number == 30 || number == 40;
    const std::map<std::int64_t, int> expected =
        doubled ? std::map<std::int64_t, int>{{100, 2}, {99, 3}, {98, 4}, {97, 4}}
                : std::map<std::int64_t, int>{{100, 1}, {99, 3}, {98, 2}, {97, 2}};
    CHECK(groups_of(samples, batches, 4) == expected);
  }
  CHECK(epoch(sampler, 5, 20) == epoch(oversampling_sampler(samples, 1, 4, 10), 5, 20));

  params.period = 1;
  const SkipSampler always(params, {samples});
  for (std::int64_t number = 1; number <= 5; ++number) {
    CHECK(epoch(always, 5, number) == epoch(oversampling_sampler(samples, 1, 4, 10), 5, number));
  }
  params.period = 3;
  params.threshold = 5;
  const SkipSampler third(params, {samples});
  CHECK(groups_of(samples, epoch(third, 1, 2), 4)[100] == 1);
  CHECK(groups_of(samples, epoch(third, 1, 3), 4)[100] == 2);
  CHECK(groups_of(samples, epoch(third, 1, 3), 4)[98] == 2);
}

TEST_CASE("skip draws identities in proportion to their images in every epoch") {
  const auto samples = people({9, 27});
  const SkipSampler sampler(sizes<SkipSampler>(1, 5), {samples});
  for (const std::int64_t number : {1, 10}) {
    int large = 0;
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
      large += samples[epoch(sampler, seed, number)[0][0]].identity == 99 ? 1 : 0;
    }
    CHECK(std::abs(large - 3000) < 5 * 28);
  }
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
  CHECK(message_of([&] { camera_sampler(samples, 2, 2); }) ==
        "sampler/camera_balanced: error: the camera of training image '4.png' is unknown; use a sampler that "
        "does not need cameras");
}

TEST_CASE("every sampler of identities refuses too few of them in its own name") {
  const auto samples = seen_by_cameras({{3, 3}, {3, 3}});
  const std::string rest =
      ": error: identities_per_batch = 3, but the training data has 2 identities; choose 2 or fewer";
  CHECK(message_of([&] { oversampling_sampler(samples, 3, 2, 100); }) == "sampler/oversampling" + rest);
  CHECK(message_of([&] { SkipSampler(sizes<SkipSampler>(3, 2), {samples}); }) == "sampler/skip" + rest);
  CHECK(message_of([&] { camera_sampler(samples, 3, 2); }) == "sampler/camera_balanced" + rest);
}

TEST_CASE("shuffle takes every image once, in batches of one size") {
  const auto samples = people({9, 4, 6, 3});
  ShuffleSampler::Params params;
  params.batch_size = 5;
  params.drop_last = false;
  const ShuffleSampler all(params, {samples});
  const auto batches = epoch(all, 1);
  REQUIRE(batches.size() == 5);
  std::set<std::size_t> used;
  for (std::size_t b = 0; b < batches.size(); ++b) {
    CHECK(batches[b].size() == (b < 4 ? 5 : 2));
    used.insert(batches[b].begin(), batches[b].end());
  }
  CHECK(used.size() == 22);
  CHECK(epoch(all, 1) == batches);
  CHECK(epoch(all, 2) != batches);

  params.drop_last = true;
  const auto whole = epoch(ShuffleSampler(params, {samples}), 1);
  CHECK(whole == Batches(batches.begin(), batches.begin() + 4));
}

TEST_CASE("shuffle puts every image everywhere alike") {
  const auto samples = people({2, 2});
  ShuffleSampler::Params params;
  params.batch_size = 4;
  const ShuffleSampler sampler(params, {samples});
  std::map<std::pair<std::size_t, std::size_t>, int> seen;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const auto batches = epoch(sampler, seed);
    for (std::size_t i = 0; i < 4; ++i) ++seen[{i, batches[0][i]}];
  }
  REQUIRE(seen.size() == 16);
  for (const auto& [place, count] : seen) CHECK(std::abs(count - 1000) < 140);
}

TEST_CASE("shuffle refuses data that does not fill a batch, unless the last may be smaller") {
  const auto samples = people({2, 1});
  ShuffleSampler::Params params;
  params.batch_size = 4;
  CHECK(message_of([&] { ShuffleSampler(params, {samples}); }) ==
        "sampler/shuffle: error: batch_size = 4, but the training data has 3 images; choose 3 or fewer, or "
        "set drop_last = false");
  params.drop_last = false;
  CHECK(epoch(ShuffleSampler(params, {samples}), 1).size() == 1);
  CHECK(message_of([&] { ShuffleSampler(params, {std::vector<Sample>{}}); }).find("has no images") !=
        std::string::npos);
}

namespace {

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

}  // namespace

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
