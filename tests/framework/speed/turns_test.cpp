#include "speed/turns.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

using namespace kindred;
using namespace kindred::speed;

namespace {

/// Takes as long as it is said to, without taking it.
class FakeContestant final : public Contestant {
 public:
  FakeContestant(std::string letter, double step, std::string& order)
      : letter_(std::move(letter)), step_(step), order_(order) {}
  [[nodiscard]] std::string name() const override { return letter_; }
  [[nodiscard]] double run(std::int64_t steps) override {
    order_ += letter_ + std::to_string(steps) + " ";
    return step_ * static_cast<double>(steps);
  }

 private:
  std::string letter_;
  double step_;
  std::string& order_;
};

}  // namespace

TEST_CASE("contestants take turns, each with as many steps as fit into its time") {
  std::string order;
  FakeContestant a("a", 0.5, order);
  FakeContestant b("b", 2, order);
  const auto times = in_turns({&a, &b}, {.warm_up = 2, .turns = 3, .seconds = 6, .pause = 0});
  CHECK(order == "a1 a1 b1 b1 a4 b1 a4 b1 a4 b1 ");
  REQUIRE(times.size() == 2);
  CHECK(times[0].steps == 4);
  CHECK(times[0].spread().median == doctest::Approx(0.5));
  CHECK(times[1].spread().median == doctest::Approx(2));
  CHECK(times[1].spread().count == 3);
  CHECK(ratio_of(times[0], times[1]).median == doctest::Approx(4));
}

TEST_CASE("a ratio is taken turn by turn") {
  const auto ratio = ratio_of({{1, 2, 4}, 1}, {{2, 2, 12}, 1});
  CHECK(ratio.median == 2);
  CHECK(ratio.low == 1);
  CHECK(ratio.high == 3);
  CHECK_THROWS_AS(static_cast<void>(ratio_of({{1, 2}, 1}, {{1}, 1})), std::logic_error);
}

TEST_CASE("a spread has the median, the mean of the middle two of an even number, and the ends") {
  const auto odd = spread_of({3, 1, 2});
  CHECK(odd.median == 2);
  CHECK(odd.low == 1);
  CHECK(odd.high == 3);
  CHECK(odd.count == 3);
  CHECK(spread_of({4, 1, 2, 3}).median == 2.5);
  const auto rate = odd.rate(12);
  CHECK(rate.median == 6);
  CHECK(rate.low == 4);
  CHECK(rate.high == 12);
  CHECK_THROWS_AS(static_cast<void>(spread_of({})), std::logic_error);
}
