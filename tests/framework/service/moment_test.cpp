#include "service/moment.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace kindred::service;

TEST_CASE("moments are written in ISO 8601 and read back") {
  CHECK(moment_text(0) == "1970-01-01T00:00:00Z");
  CHECK(moment_text(1'795'789'362'039) == "2026-11-27T14:22:42.039Z");
  CHECK(moment_text(-1) == "1969-12-31T23:59:59.999Z");
  for (const std::int64_t moment : {0LL, 1'795'789'362'039LL, -86'400'001LL, 4'102'444'800'000LL}) {
    CHECK(parse_moment(moment_text(moment)) == moment);
  }
}

TEST_CASE("a day, minutes and offsets are taken, and anything else is not") {
  CHECK(parse_moment("1970-01-02") == 86'400'000);
  CHECK(parse_moment("1970-01-01T01:02Z") == 3'720'000);
  CHECK(parse_moment("1970-01-01T00:00:01.5Z") == 1'500);
  CHECK(parse_moment("1970-01-01T01:00:00+01:00") == 0);
  CHECK(parse_moment("1970-01-01T00:00:00-00:30") == 1'800'000);
  CHECK(parse_moment("1970-01-01T01:00:00 01:00") == 0);
  CHECK(parse_moment("1970-01-01t00:00:01.123456z") == 1'123);
  for (const std::string text : {"", "now", "1970", "1970-02-30", "1970-13-01", "1970-01-01T24:00Z",
                                 "1970-01-01T00:60Z", "1970-01-01T00:00:00", "1970-01-01T00:00:00Z ",
                                 "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.0123456789Z", "1970-1-1"}) {
    CHECK_MESSAGE(!parse_moment(text), text);
  }
  CHECK(!parse_moment(std::string(1'000'000, '1')));
}
