#include "text/number_text.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>

using namespace kindred::text;

TEST_CASE("figures are written as people read them") {
  CHECK(percent_text(0.63128) == "63.13\u00a0%");
  CHECK(percent_text(std::nan("")) == "-");
  CHECK(fixed_text(-1.005, 1) == "-1.0");
  CHECK(fixed_text(0.25, 1) == "0.2");
  CHECK(fixed_text(HUGE_VAL, 1) == "-");
  CHECK(fixed_text(std::numeric_limits<double>::max(), 2).size() == 312);
  CHECK(number_text(52.968) == "52.97");
  CHECK(number_text(0.001) == "0.001");
  CHECK(number_text(1e-5) == "1e-5");
  CHECK(number_text(3.4e-12) == "3.4e-12");
  CHECK(number_text(12345) == "12,345");
  CHECK(number_text(-12345) == "-12,345");
  CHECK(number_text(-0.0) == "0");
  CHECK(number_text(1e20) == "1e20");
  CHECK(number_text(HUGE_VAL) == "-");
  CHECK(rate_text(0.4) == "0.4");
  CHECK(rate_text(333.7) == "334");
  CHECK(size_text(512) == "512\u00a0B");
  CHECK(size_text(89'400) == "89\u00a0kB");
  CHECK(size_text(1'234'567) == "1.2\u00a0MB");
  CHECK(size_text(999'960'000) == "1.0\u00a0GB");
}

TEST_CASE("digits are grouped, padded and hexadecimal") {
  CHECK(grouped_digits(0) == "0");
  CHECK(grouped_digits(999) == "999");
  CHECK(grouped_digits(23'508'032) == "23,508,032");
  CHECK(grouped_digits(-100) == "-100");
  CHECK(grouped_digits(-1'234) == "-1,234");
  CHECK(padded_digits(7, 3) == "007");
  CHECK(padded_digits(1234, 3) == "1234");
  CHECK(hex_digits(0xc0ffee) == "00c0ffee");
  CHECK(hex_digits(0) == "00000000");
  CHECK(hex_digits(0xffffffff) == "ffffffff");
}

TEST_CASE("the shortest text is read as the same number") {
  CHECK(shortest_text(0.1F) == "0.1");
  CHECK(shortest_text(0.1) == "0.1");
  CHECK(shortest_text(1e-20F) == "1e-20");
  CHECK(shortest_text(1.0 / 3) == "0.3333333333333333");
  CHECK(shortest_text(std::numeric_limits<double>::infinity()) == "inf");
}

/// What printf writes in the C locale, which is what files hold that were written before.
std::string printed(const char* format, int digits, double value) {
  char buffer[400];
  std::snprintf(buffer, sizeof buffer, format, digits, value);
  return buffer;
}

TEST_CASE("the digits are those of printf") {
  std::mt19937_64 random(20261128);
  std::uniform_real_distribution<double> exponent(-12, 12);
  std::uniform_real_distribution<double> sign(-1, 1);
  for (int i = 0; i < 2000; ++i) {
    const double value = sign(random) * std::pow(10, exponent(random));
    const int digits = 1 + i % 6;
    CAPTURE(value);
    CHECK(fixed_text(value, digits) == printed("%.*f", digits, value));
    CHECK(significant_text(value, digits) == printed("%.*g", digits, value));
  }
  for (const double value : {0.0, 0.5, 1.0, 2.5, 1e-5, 99999.5, 1e15}) {
    CHECK(significant_text(value, 4) == printed("%.*g", 4, value));
    CHECK(fixed_text(value, 0) == printed("%.*f", 0, value));
  }
  CHECK(significant_text(std::nan(""), 4) == "nan");
  CHECK(significant_text(-HUGE_VAL, 4) == "-inf");
}
