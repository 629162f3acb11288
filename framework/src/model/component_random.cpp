#include "model/component_random.h"

#include <torch/utils.h>

#include <initializer_list>

namespace kindred::model {

ComponentRandom::ComponentRandom(std::uint64_t seed, Part part, std::uint64_t index)
    : seed_(seed),
      part_(part),
      index_(index),
      stream_(std::make_shared<RandomStream>(
          seed, std::initializer_list<std::uint64_t>{static_cast<std::uint64_t>(part), index})) {
  torch::manual_seed((*stream_)());
}

void ComponentRandom::start_step(std::int64_t epoch, std::int64_t batch) const {
  *stream_ = RandomStream(seed_, {static_cast<std::uint64_t>(part_), index_,
                                  static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(batch)});
}

}  // namespace kindred::model
