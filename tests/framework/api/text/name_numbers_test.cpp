#include "kindred/text/name_numbers.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>

using namespace kindred;

namespace {

std::int64_t number_alone(const std::string& name) {
  const auto number = NameNumbers().of(name);
  CHECK_MESSAGE(number.problem.empty(), number.problem);
  return number.value;
}

std::string problem_after(const std::string& first, const std::string& name) {
  NameNumbers names;
  CHECK(names.of(first).problem.empty());
  return names.of(name).problem;
}

}  // namespace

TEST_CASE("numbers stand for themselves, also as pandas writes them") {
  CHECK(number_alone("17") == 17);
  CHECK(number_alone("0017") == 17);
  CHECK(number_alone("17.0") == 17);
  CHECK(number_alone("-1") == -1);
  CHECK(parse_whole_number("17.5") == std::nullopt);
  CHECK(parse_whole_number(".0") == std::nullopt);
  CHECK(parse_whole_number("") == std::nullopt);
}

TEST_CASE("a common word before a number leaves the number") {
  CHECK(number_alone("person01") == 1);
  CHECK(number_alone("Person_17") == 17);
  CHECK(number_alone("id-3") == 3);
  CHECK(number_alone("c1") == 1);
  CHECK(number_alone("cam 2") == 2);
}

TEST_CASE("other names have large numbers, the same everywhere and different for each") {
  const auto alice = number_alone("alice");
  CHECK(alice == 187721840629777);
  CHECK(number_alone("bob") != alice);
  for (const char* name :
       {"alice", "front door", "site1_person2", "person1b", "2024-05", "2024.05.01", "192.168.0.12", "1.2.3",
        "E1", "e12", "1e", "1-2", "-", "+", ".", "inf", "\u00e9"}) {
    CAPTURE(name);
    CHECK(number_alone(name) >= NameNumbers::first_of_letters);
    CHECK(number_alone(name) < 2 * NameNumbers::first_of_letters);
  }
  NameNumbers names;
  CHECK(names.of("bob").value == number_alone("bob"));
  CHECK(names.of("alice").value == alice);
  CHECK(names.of("alice").value == alice);
}

TEST_CASE("what could mean two things is a problem") {
  for (const char* text :
       {"1.5", "1e9", "1e-9", "1E+9", "1,234", "1,234.5", ".5", "-.5", "5.", "1e999", "+3", "-1.5"}) {
    CHECK(NameNumbers().of(text).problem == "is not a whole number");
  }
  for (const char* text : {"99999999999999999999", "9223372036854775807", "4611686018427387904"}) {
    CHECK(NameNumbers().of(text).problem == "is too large: whole numbers go up to 4611686018427387903");
  }
  CHECK(NameNumbers().of("NaN").problem == "stands for a missing value; leave the cell empty instead");
  CHECK(problem_after("3", "bob") == "is not a whole number, but '3' is; write numbers or names throughout");
  CHECK(problem_after("bob", "3") == "is a number, but 'bob' is a name; write numbers or names throughout");
  CHECK(problem_after("person01", "person_1") ==
        "has the same number as 'person01', 1; spell a name in one way, or write numbers");
  CHECK(problem_after("bob", "-1").empty());
  CHECK(problem_after("-1", "bob").empty());
}
