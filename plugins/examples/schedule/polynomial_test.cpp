#include "polynomial.h"

#include <doctest/doctest.h>

using my_plugins::Polynomial;

TEST_CASE("the factor falls from 1 to 0 along the power") {
  const Polynomial schedule({.power = 2}, {.epochs = 10});
  CHECK(schedule.factor(1, 0) == 1);
  CHECK(schedule.factor(6, 0) == doctest::Approx(0.25));
  CHECK(schedule.factor(10, 0.5) == doctest::Approx(0.0025));
}
