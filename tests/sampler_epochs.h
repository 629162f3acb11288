#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kindred/core/random.h"
#include "kindred/core/sample.h"
#include "kindred/role/sampler.h"

/// What the tests of samplers look at: epochs of made-up people.
namespace kindred::test {

using Batches = std::vector<std::vector<std::size_t>>;

/// One identity for each count, with that many images; identities are mixed up among the samples.
inline std::vector<Sample> people(const std::vector<int>& counts) {
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

/// Parameters of a sampler whose batches hold p identities with k images each.
template <class PkSampler>
typename PkSampler::Params sizes(std::int64_t p, std::int64_t k) {
  typename PkSampler::Params params;
  params.identities_per_batch = p;
  params.images_per_identity = k;
  return params;
}

inline Batches epoch(const Sampler& sampler, std::uint64_t seed, std::int64_t number = 1) {
  RandomStream random(seed);
  return sampler.batches(number, random);
}

/// Groups of K images that each identity gets in an epoch.
inline std::map<std::int64_t, int> groups_of(const std::vector<Sample>& samples, const Batches& batches,
                                             std::size_t k) {
  std::map<std::int64_t, int> groups;
  for (const auto& batch : batches) {
    for (std::size_t i = 0; i < batch.size(); i += k) ++groups[samples[batch[i]].identity];
  }
  return groups;
}

/// Every batch holds P distinct identities with K images side by side, each of its own identity.
inline void check_form(const std::vector<Sample>& samples, const Batches& batches, std::size_t p,
                       std::size_t k) {
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

}  // namespace kindred::test
