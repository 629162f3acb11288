#include "weighted_urn.h"

#include <bit>
#include <utility>

namespace kindred::samplers {

WeightedUrn::WeightedUrn(std::vector<std::int64_t> weights)
    : weights_(std::move(weights)), tree_(weights_.size() + 1, 0) {
  for (std::size_t i = 0; i < weights_.size(); ++i) add(i, weights_[i]);
}

void WeightedUrn::set(std::size_t number, std::int64_t weight) {
  add(number, weight - weights_[number]);
  weights_[number] = weight;
}

void WeightedUrn::add(std::size_t number, std::int64_t difference) {
  sum_ += difference;
  for (std::size_t i = number + 1; i < tree_.size(); i += i & (~i + 1)) tree_[i] += difference;
}

std::size_t WeightedUrn::draw(RandomStream& random) const {
  // The number at whose weight the running sum passes what was drawn.
  std::int64_t rest = random.integer(0, sum_ - 1);
  std::size_t number = 0;
  for (std::size_t step = std::bit_floor(weights_.size()); step > 0; step /= 2) {
    if (number + step >= tree_.size() || tree_[number + step] > rest) continue;
    number += step;
    rest -= tree_[number];
  }
  return number;
}

}  // namespace kindred::samplers
