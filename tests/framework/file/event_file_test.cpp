#include "file/event_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "data_files.h"
#include "event_records.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;

TEST_CASE("CRC-32C gives the values of RFC 3720") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("an event file has the bytes that TensorFlow's own writer makes") {
  const TemporaryFolder folder;
  const auto file = folder / "events.out.tfevents.1";
  {
    EventFile events(file, 2.0);
    const std::vector<EventFile::Scalar> scalars{{"a", 1.5}};
    events.add(3, 4.0, scalars);
  }
  const auto bytes = read_bytes(file);
  // Event { wall_time: 2, step: 0, file_version: "brain.Event:2" }
  const std::string first(
      "\x09\0\0\0\0\0\0\0\x40\x10\0\x1a\x0d"
      "brain.Event:2",
      26);
  // Event { wall_time: 4, step: 3, summary { value { tag: "a", simple_value: 1.5 } } }
  const std::string second(
      "\x09\0\0\0\0\0\0\x10\x40\x10\x03\x2a\x0a\x0a\x08\x0a\x01"
      "a\x15\0\0\xc0\x3f",
      23);
  REQUIRE(bytes.size() == 16 + first.size() + 16 + second.size());
  CHECK(bytes.substr(0, 8) == std::string("\x1a\0\0\0\0\0\0\0", 8));
  CHECK(bytes.substr(12, first.size()) == first);
  CHECK(bytes.substr(16 + first.size() + 12, second.size()) == second);
  const auto records = read_event_records(file);  // with all checksums
  REQUIRE(records.size() == 2);
  CHECK(records[0].version == "brain.Event:2");
  CHECK(records[1].step == 3);
  CHECK(records[1].wall_time == 4.0);
}

TEST_CASE("events are read back: sessions, long tags, images, large steps and values that are not finite") {
  const TemporaryFolder folder;
  const auto file = folder / "events.out.tfevents.1";
  const std::string tag(300, 'x');
  {
    EventFile events(file, 1e9);
    events.start_session(7, 1e9 + 0.5);
    const std::vector<EventFile::Scalar> scalars{
        {tag, -1e300}, {"", std::nan("")}, {"loss/triplet(g1)", std::numeric_limits<double>::infinity()}};
    events.add(5'000'000'000, 1e9 + 1, scalars);
    events.add(1, 1e9 + 2, std::vector<EventFile::Scalar>{});
    events.add(2, 1e9 + 3, {"sheet", 300, 20, std::string(1000, 'p')});
  }
  const auto records = read_event_records(file);
  REQUIRE(records.size() == 5);
  CHECK(records[1].starts_session);
  CHECK(records[1].step == 7);
  CHECK(records[1].wall_time == 1e9 + 0.5);
  CHECK(!records[2].starts_session);
  CHECK(records[2].step == 5'000'000'000);
  REQUIRE(records[2].scalars.size() == 3);
  CHECK(records[2].scalars[0].first == tag);
  CHECK(records[2].scalars[0].second == -std::numeric_limits<float>::infinity());
  CHECK(records[2].scalars[1].first.empty());
  CHECK(std::isnan(records[2].scalars[1].second));
  CHECK(records[2].scalars[2].second == std::numeric_limits<float>::infinity());
  CHECK(records[3].scalars.empty());
  CHECK(records[4].step == 2);
  CHECK(records[4].image_tag == "sheet");
  CHECK(records[4].image_height == 300);
  CHECK(records[4].image_width == 20);
  CHECK(records[4].image == std::string(1000, 'p'));
}

TEST_CASE("an event file that is there or cannot be written is named") {
  const TemporaryFolder folder;
  const auto file = folder.write("events", "kept");
  CHECK(error_of([&] { const EventFile events(file, 0); }) ==
        file.string() + ": error: cannot be written: File exists");
  CHECK(read_bytes(file) == "kept");
  const auto nowhere = folder / "none/events";
  CHECK(error_of([&] { const EventFile events(nowhere, 0); }) ==
        nowhere.string() + ": error: cannot be written: No such file or directory");
}
