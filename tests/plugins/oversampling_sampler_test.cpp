#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "oversampling_sampler.h"
#include "sampler_epochs.h"
#include "temporary_folder.h"

using namespace kindred::samplers;

namespace kindred::test {
namespace {

OversamplingSampler oversampling_sampler(const std::vector<Sample>& samples, std::int64_t p, std::int64_t k,
                                         std::int64_t threshold) {
  auto params = sizes<OversamplingSampler>(p, k);
  params.threshold = threshold;
  return {params, {samples}};
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

TEST_CASE("oversampling refuses too few identities in its own name") {
  CHECK(message_of<ComponentError>([] {
          oversampling_sampler(people({3, 3}), 3, 2, 100);
        }) ==
        "sampler/oversampling: error: identities_per_batch = 3, but the training data has 2 identities; "
        "choose 2 or fewer");
}

}  // namespace
}  // namespace kindred::test
