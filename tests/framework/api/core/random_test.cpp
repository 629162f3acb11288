#include "kindred/core/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <vector>

using namespace kindred;

TEST_CASE("the numbers of a seed never change") {
  // Published outputs of xoshiro256** seeded through SplitMix64.
  RandomStream zero(0);
  CHECK(zero() == 0x99ec5f36cb75f2b4ULL);
  CHECK(zero() == 0xbf6e1f784956452aULL);
  CHECK(zero() == 0x1a5f849d4933e6e0ULL);
  CHECK(zero() == 0x6aa594f1262d2d2cULL);
  RandomStream answer(42);
  CHECK(answer() == 0x15780b2e0c2ec716ULL);
  CHECK(answer() == 0x6104d9866d113a7eULL);
  RandomStream real(1);
  CHECK(real.uniform() == 0.7029218331588505);
  CHECK(real.uniform() == 0.5204366199388569);
}

TEST_CASE("the numbers of a seed with keys never change") {
  RandomStream keyed(1, {2, 3});
  CHECK(keyed() == 0x18be4a0b6d6eb969ULL);
  CHECK(keyed() == 0xe612a3b56e9d2d5eULL);
  CHECK(keyed() == 0x5550d39988722a11ULL);
}

TEST_CASE("different lists of keys give different streams") {
  std::set<std::uint64_t> first;
  first.insert(RandomStream(1)());
  first.insert(RandomStream(1, {0})());
  first.insert(RandomStream(1, {0, 0})());
  first.insert(RandomStream(1, {1, 2})());
  first.insert(RandomStream(1, {2, 1})());
  first.insert(RandomStream(2, {1, 2})());
  CHECK(first.size() == 6);

  std::set<std::uint64_t> many;
  for (std::uint64_t epoch = 0; epoch < 100; ++epoch) {
    for (std::uint64_t sample = 0; sample < 100; ++sample) many.insert(RandomStream(1, {7, epoch, sample})());
  }
  CHECK(many.size() == 10000);
}

TEST_CASE("neighboring keys give unrelated numbers") {
  double sum = 0;
  double sum_of_products = 0;
  double before = RandomStream(1, {0}).uniform() - 0.5;
  constexpr int count = 20000;
  for (int key = 1; key <= count; ++key) {
    const double now = RandomStream(1, {static_cast<std::uint64_t>(key)}).uniform() - 0.5;
    sum += now;
    sum_of_products += now * before;
    before = now;
  }
  CHECK(std::abs(sum / count) < 0.01);
  CHECK(std::abs(12 * sum_of_products / count) < 0.03);
}

TEST_CASE("uniform numbers fill [0, 1) evenly") {
  RandomStream random(3);
  std::array<int, 10> bins{};
  for (int i = 0; i < 100000; ++i) {
    const double drawn = random.uniform();
    REQUIRE(drawn >= 0.0);
    REQUIRE(drawn < 1.0);
    ++bins.at(static_cast<std::size_t>(drawn * 10));
  }
  for (const int bin : bins) CHECK(std::abs(bin - 10000) < 500);
}

TEST_CASE("uniform numbers of an interval never reach its upper end, even when rounding would") {
  RandomStream random(4);
  const double low = 1.0;
  const double high = std::nextafter(low, 2.0);
  for (int i = 0; i < 1000; ++i) CHECK(random.uniform(low, high) == low);
  CHECK(random.uniform(2.0, 2.0) == 2.0);
  for (int i = 0; i < 1000; ++i) {
    const double drawn = random.uniform(-3.0, 5.0);
    REQUIRE(drawn >= -3.0);
    REQUIRE(drawn < 5.0);
  }
}

TEST_CASE("uniform numbers of an interval are rounded step by step, whatever the processor can do in one") {
  RandomStream random(4);
  RandomStream same(4);
  for (int i = 0; i < 1000; ++i) {
    const volatile double above = (7.3 - 0.34) * same.uniform();  // no fused multiply-add here
    CHECK(random.uniform(0.34, 7.3) == 0.34 + above);
  }
}

TEST_CASE("whole numbers take both ends and everything in between equally often") {
  RandomStream random(5);
  std::array<int, 7> seen{};
  for (int i = 0; i < 70000; ++i) {
    const auto drawn = random.integer(-3, 3);
    REQUIRE(drawn >= -3);
    REQUIRE(drawn <= 3);
    ++seen.at(static_cast<std::size_t>(drawn + 3));
  }
  for (const int count : seen) CHECK(std::abs(count - 10000) < 500);
}

TEST_CASE("whole numbers of a huge range are not biased towards its beginning") {
  // 3/4 of all 64-bit numbers: the remainder alone would draw the first third twice as often as the others.
  RandomStream random(6);
  const auto low = std::numeric_limits<std::int64_t>::min();
  const auto third = std::int64_t{1} << 62;
  const auto high = low + third - 1 + third + third;
  int first_third = 0;
  constexpr int count = 30000;
  for (int i = 0; i < count; ++i) {
    const auto drawn = random.integer(low, high);
    REQUIRE(drawn <= high);
    if (drawn < low + third) ++first_third;
  }
  CHECK(std::abs(first_third - count / 3) < 400);
}

TEST_CASE("the smallest and the largest range of whole numbers work") {
  RandomStream random(7);
  CHECK(random.integer(9, 9) == 9);
  const auto low = std::numeric_limits<std::int64_t>::min();
  const auto high = std::numeric_limits<std::int64_t>::max();
  CHECK(random.integer(low, low) == low);
  CHECK(random.integer(high, high) == high);
  int negative = 0;
  for (int i = 0; i < 10000; ++i) negative += random.integer(low, high) < 0 ? 1 : 0;
  CHECK(std::abs(negative - 5000) < 300);
}

TEST_CASE("chances of 0 and 1 are never and always, others as often as they say") {
  RandomStream random(8);
  int taken = 0;
  for (int i = 0; i < 10000; ++i) {
    REQUIRE_FALSE(random.chance(0.0));
    REQUIRE(random.chance(1.0));
    taken += random.chance(0.3) ? 1 : 0;
  }
  CHECK(std::abs(taken - 3000) < 200);
}

TEST_CASE("normal numbers have the mean and deviation asked for") {
  RandomStream random(9);
  double sum = 0;
  double squares = 0;
  int within_one = 0;
  constexpr int count = 100000;
  for (int i = 0; i < count; ++i) {
    const double drawn = random.normal(5.0, 2.0);
    REQUIRE(std::isfinite(drawn));
    sum += drawn;
    squares += (drawn - 5.0) * (drawn - 5.0);
    within_one += std::abs(drawn - 5.0) < 2.0 ? 1 : 0;
  }
  CHECK(std::abs(sum / count - 5.0) < 0.03);
  CHECK(std::abs(std::sqrt(squares / count) - 2.0) < 0.02);
  CHECK(std::abs(within_one / double{count} - 0.6827) < 0.01);
}

TEST_CASE("shuffling keeps everything and reaches every order equally often") {
  RandomStream random(10);
  std::array<int, 6> orders{};
  for (int i = 0; i < 60000; ++i) {
    std::array<int, 3> items = {0, 1, 2};
    random.shuffle(std::span<int>(items));
    auto sorted = items;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(sorted == std::array<int, 3>{0, 1, 2});
    ++orders.at(static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2] ? 1 : 0)));
  }
  for (const int count : orders) CHECK(std::abs(count - 10000) < 500);
  std::vector<int> none;
  random.shuffle(std::span<int>(none));
  CHECK(none.empty());
}
