#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kindred/core/random.h"
#include "weighted_urn.h"

namespace kindred::samplers {
namespace {

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

}  // namespace
}  // namespace kindred::samplers
