// Reads TensorBoard's event files with nothing of what writes them.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "temporary_folder.h"

namespace kindred::test {

/// Bit by bit.
inline std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return crc ^ 0xffffffff;
}

/// A field of a protobuf message; what it holds is in one of the two.
struct WireField {
  std::uint64_t number = 0;
  std::string bytes{};
};

inline std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE(!bytes.empty());
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

/// By field number, in order.
inline std::multimap<std::uint64_t, WireField> wire_fields(std::string_view bytes) {
  std::multimap<std::uint64_t, WireField> fields;
  while (!bytes.empty()) {
    const auto key = take_varint(bytes);
    WireField field;
    if ((key & 7) == 0) {
      field.number = take_varint(bytes);
    } else {
      const auto size = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : take_varint(bytes);
      REQUIRE(size <= bytes.size());
      field.bytes = bytes.substr(0, size);
      bytes.remove_prefix(size);
    }
    fields.emplace(key >> 3, std::move(field));
  }
  return fields;
}

template <class Number>
Number number_of(const std::string& bytes) {
  Number number;
  REQUIRE(bytes.size() == sizeof number);
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

struct EventRecord {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string version{};  ///< of a first event
  bool starts_session = false;
  std::vector<std::pair<std::string, float>> scalars{};
  std::string image_tag{};
  std::int64_t image_height = 0;
  std::int64_t image_width = 0;
  std::string image{};  ///< bytes of its file
};

/// Checks lengths and checksums.
inline std::vector<EventRecord> read_event_records(const std::filesystem::path& file) {
  const auto content = read_bytes(file);
  std::string_view bytes = content;
  const auto take = [&](std::size_t size) {
    REQUIRE(size <= bytes.size());
    const std::string taken(bytes.substr(0, size));
    bytes.remove_prefix(size);
    return taken;
  };
  const auto check = [&](const std::string& data) {
    const auto crc = slow_crc32c(data);
    CHECK(number_of<std::uint32_t>(take(4)) == ((crc >> 15 | crc << 17) + 0xa282ead8U));
  };
  std::vector<EventRecord> records;
  while (!bytes.empty()) {
    const auto length = take(8);
    check(length);
    const auto data = take(number_of<std::uint64_t>(length));
    check(data);
    EventRecord record;
    for (const auto& [number, field] : wire_fields(data)) {
      if (number == 1) record.wall_time = number_of<double>(field.bytes);
      if (number == 2) record.step = static_cast<std::int64_t>(field.number);
      if (number == 3) record.version = field.bytes;
      if (number == 5) {
        for (const auto& [one, value] : wire_fields(field.bytes)) {
          CHECK(one == 1);
          const auto parts = wire_fields(value.bytes);
          REQUIRE(parts.count(1) == 1);
          if (parts.count(4) == 1) {
            const auto image = wire_fields(parts.find(4)->second.bytes);
            record.image_tag = parts.find(1)->second.bytes;
            record.image_height = static_cast<std::int64_t>(image.find(1)->second.number);
            record.image_width = static_cast<std::int64_t>(image.find(2)->second.number);
            CHECK(image.find(3)->second.number == 3);  // RGB
            record.image = image.find(4)->second.bytes;
            continue;
          }
          REQUIRE(parts.count(2) == 1);
          record.scalars.emplace_back(parts.find(1)->second.bytes,
                                      number_of<float>(parts.find(2)->second.bytes));
        }
      }
      if (number == 7) {
        const auto session = wire_fields(field.bytes);
        record.starts_session = session.count(1) == 1 && session.find(1)->second.number == 1;
      }
    }
    records.push_back(std::move(record));
  }
  return records;
}

/// The one event file of a folder.
inline std::filesystem::path event_file_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  }
  REQUIRE(files.size() == 1);
  return files.front();
}

/// The steps of each tag of scalars or images of a folder, in the order in which they stand in the file.
inline std::map<std::string, std::vector<std::int64_t>> event_steps(const std::filesystem::path& folder) {
  std::map<std::string, std::vector<std::int64_t>> steps;
  for (const auto& record : read_event_records(event_file_of(folder))) {
    for (const auto& [tag, value] : record.scalars) steps[tag].push_back(record.step);
    if (!record.image_tag.empty()) steps[record.image_tag].push_back(record.step);
  }
  return steps;
}

}  // namespace kindred::test
