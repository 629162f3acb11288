// Random numbers that are the same on every machine, compiler and standard library, but for the last bit of
// normal ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <utility>

#include "kindred/core/export.h"

namespace kindred {

/// A stream of random numbers: xoshiro256** (Blackman & Vigna 2018), seeded through SplitMix64. All random
/// choices of a run come from streams made from (seed, purpose, epoch, sample), so that results depend
/// neither on the number of threads nor on the order of work.
class KINDRED_API RandomStream {
 public:
  using result_type = std::uint64_t;

  explicit RandomStream(std::uint64_t seed);
  /// The stream for one purpose: each list of keys gives an independent stream.
  RandomStream(std::uint64_t seed, std::initializer_list<std::uint64_t> keys);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()();

  /// Uniform in [0, 1).
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high);
  /// Uniform over the integers low..high, both included. Requires low <= high.
  std::int64_t integer(std::int64_t low, std::int64_t high);
  /// True with the given probability.
  bool chance(double probability);
  /// Normal distribution (Box-Muller, one number per call). Now and then the last bit depends on the
  /// logarithm and the cosine of the system, which choose by the processor how they compute; as a 32-bit
  /// float it is hardly ever to be seen.
  double normal(double mean = 0.0, double deviation = 1.0);

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(integer(0, static_cast<std::int64_t>(i) - 1))]);
    }
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace kindred
