#include "model/component_random.h"

#include <ATen/Context.h>

#include <initializer_list>
#include <mutex>

namespace kindred::model {

ComponentRandom::ComponentRandom(std::uint64_t seed, Part part, std::uint64_t index)
    : seed_(seed),
      part_(part),
      index_(index),
      stream_(std::make_shared<RandomStream>(
          seed, std::initializer_list<std::uint64_t>{static_cast<std::uint64_t>(part), index})) {
  auto generator = at::globalContext().defaultGenerator(at::Device(at::kCPU));
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed((*stream_)());
}

void ComponentRandom::start_step(std::int64_t epoch, std::int64_t batch, std::int64_t part) const {
  const auto key = [](auto value) { return static_cast<std::uint64_t>(value); };
  *stream_ = part == 0 ? RandomStream(seed_, {key(part_), index_, key(epoch), key(batch)})
                       : RandomStream(seed_, {key(part_), index_, key(epoch), key(batch), key(part)});
}

}  // namespace kindred::model
