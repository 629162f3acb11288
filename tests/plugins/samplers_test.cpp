#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "identity_sampler.h"
#include "kindred/error.h"
#include "shuffle_sampler.h"

using namespace kindred;

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

IdentitySampler identity_sampler(const std::vector<Sample>& samples, std::int64_t p, std::int64_t k) {
  IdentitySampler::Params params;
  params.identities_per_batch = p;
  params.images_per_identity = k;
  return {params, {samples}};
}

Batches epoch(const Sampler& sampler, std::uint64_t seed) {
  RandomStream random(seed);
  return sampler.batches(1, random);
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
        "or "
        "less");
  CHECK(epoch(identity_sampler(samples, 3, 4), 1).size() == 1);
  CHECK(message_of([&] { identity_sampler({}, 4, 2); }).find("has 0 identities; check the data set") !=
        std::string::npos);
}

TEST_CASE("a training image without an identity is refused by name") {
  auto samples = people({9, 4, 6});
  samples[5].identity = unlabelled_identity;
  samples[5].path = "stray.png";
  CHECK(message_of([&] {
          identity_sampler(samples, 2, 2);
        }).find("training image 'stray.png' has no identity") != std::string::npos);
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
        "sampler/shuffle: error: batch_size = 4, but the training data has 3 images; choose 3 or less, or "
        "drop_last = false");
  params.drop_last = false;
  CHECK(epoch(ShuffleSampler(params, {samples}), 1).size() == 1);
  CHECK(message_of([&] { ShuffleSampler(params, {std::vector<Sample>{}}); }).find("has no images") !=
        std::string::npos);
}
