#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "sampler_epochs.h"
#include "shuffle_sampler.h"
#include "temporary_folder.h"

using namespace kindred::samplers;

namespace kindred::test {
namespace {

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
  CHECK(message_of<ComponentError>([&] { ShuffleSampler(params, {samples}); }) ==
        "sampler/shuffle: error: batch_size = 4, but the training data has 3 images; choose 3 or fewer, or "
        "set drop_last = false");
  params.drop_last = false;
  CHECK(epoch(ShuffleSampler(params, {samples}), 1).size() == 1);
  CHECK(message_of<ComponentError>([&] {
          ShuffleSampler(params, {std::vector<Sample>{}});
        }).find("has no images") != std::string::npos);
}

}  // namespace
}  // namespace kindred::test
