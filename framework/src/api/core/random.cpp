#include "kindred/core/random.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace kindred {
namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed) : state_{} {
  for (auto& word : state_) word = split_mix(seed);
}

RandomStream::RandomStream(std::uint64_t seed, std::initializer_list<std::uint64_t> keys) : state_{} {
  std::uint64_t mixed = seed;
  for (const auto key : keys) {
    std::uint64_t next = split_mix(mixed) ^ (key * 0xd1342543de82ef95ULL + 1);
    mixed = split_mix(next);
  }
  for (auto& word : state_) word = split_mix(mixed);
}

RandomStream::result_type RandomStream::operator()() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double RandomStream::uniform() {
  return static_cast<double>((*this)() >> 11U) * 0x1.0p-53;
}

double RandomStream::uniform(double low, double high) {
  // The sum is rounded and can then be `high` itself, which the interval leaves out.
  const double drawn = low + (high - low) * uniform();
  return drawn < high || high <= low ? drawn : std::nextafter(high, low);
}

std::int64_t RandomStream::integer(std::int64_t low, std::int64_t high) {
  const std::uint64_t count = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  if (count == 0) return static_cast<std::int64_t>((*this)());
  // Numbers behind the last whole multiple of `count` would favor the low results: draw again.
  const std::uint64_t limit = max() - (max() % count + 1) % count;
  std::uint64_t drawn = (*this)();
  while (drawn > limit) drawn = (*this)();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + drawn % count);
}

bool RandomStream::chance(double probability) {
  return uniform() < probability;
}

double RandomStream::normal(double mean, double deviation) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return mean + deviation * radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace kindred
