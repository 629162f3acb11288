#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <map>

#include "kindred/core/error.h"
#include "oversampling_sampler.h"
#include "sampler_epochs.h"
#include "skip_sampler.h"
#include "temporary_folder.h"

using namespace kindred::samplers;

namespace kindred::test {
namespace {

TEST_CASE("skip doubles only in epochs that the period divides, and is oversampling then") {
  const auto samples = people({4, 12, 8, 9});
  auto params = sizes<SkipSampler>(1, 4);
  const SkipSampler sampler(params, {samples});  // threshold 10, period 10
  auto all_epochs = sizes<OversamplingSampler>(1, 4);
  all_epochs.threshold = 10;
  const OversamplingSampler oversampling(all_epochs, {samples});
  for (std::int64_t number = 1; number <= 40; ++number) {
    const auto batches = epoch(sampler, static_cast<std::uint64_t>(number), number);
    check_form(samples, batches, 1, 4);
    const bool doubled = number == 10 || number == 20 || number == 30 || number == 40;
    const std::map<std::int64_t, int> expected =
        doubled ? std::map<std::int64_t, int>{{100, 2}, {99, 3}, {98, 4}, {97, 4}}
                : std::map<std::int64_t, int>{{100, 1}, {99, 3}, {98, 2}, {97, 2}};
    CHECK(groups_of(samples, batches, 4) == expected);
  }
  CHECK(epoch(sampler, 5, 20) == epoch(oversampling, 5, 20));

  params.period = 1;
  const SkipSampler always(params, {samples});
  for (std::int64_t number = 1; number <= 5; ++number) {
    CHECK(epoch(always, 5, number) == epoch(oversampling, 5, number));
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

TEST_CASE("skip refuses too few identities in its own name") {
  CHECK(message_of<ComponentError>([] {
          SkipSampler(sizes<SkipSampler>(3, 2), {people({3, 3})});
        }) ==
        "sampler/skip: error: identities_per_batch = 3, but the training data has 2 identities; choose 2 or "
        "fewer");
}

}  // namespace
}  // namespace kindred::test
