// The random numbers of one part of a network.
#pragma once

#include <cstdint>
#include <memory>

#include "kindred/core/random.h"

namespace kindred::model {

/// What has a stream of its own, so that the numbers of one do not depend on how many another has drawn.
enum class Part : std::uint64_t { backbone = 0x6b6261, head = 0x686561, loss = 0x6c6f73 };

/// The stream that a component is given in its context (Backbone::Context::random). What it gives depends on
/// the seed, the part and its index alone, in a training step on epoch and batch as well, and on nothing that
/// was drawn before.
class ComponentRandom {
 public:
  /// Starts the stream for the component's constructor, and seeds LibTorch's generator of the CPU from it, on
  /// which components are made. Those of GPUs may be an application's, and stay as they are.
  /// @param index tells losses apart
  ComponentRandom(std::uint64_t seed, Part part, std::uint64_t index = 0);

  /// For the component's context; never null.
  [[nodiscard]] const std::shared_ptr<RandomStream>& stream() const { return stream_; }

  /// Starts the stream anew.
  /// @param epoch counted from 1
  /// @param batch counted from 0
  /// @param part of the batch, counted from 0; a whole batch draws as its first part
  void start_step(std::int64_t epoch, std::int64_t batch, std::int64_t part = 0) const;

 private:
  std::uint64_t seed_;
  Part part_;
  std::uint64_t index_;
  std::shared_ptr<RandomStream> stream_;
};

}  // namespace kindred::model
