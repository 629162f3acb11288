#include "file/zip.h"

#include <doctest/doctest.h>

#include <boost/crc.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;

namespace {

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
  return text;
}

std::uint32_t crc_of(const std::string& text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return crc.checksum();
}

struct Made {
  bool large = false;  ///< sizes and places of 64 bits
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
  std::string comment;
  int entries = 1;                        ///< of the directory, all of the one record
  std::uint64_t more = 0;                 ///< bytes that the directory promises beyond those that are there
  std::optional<std::uint32_t> checksum;  ///< another one than that of the content
};

/// An archive of one record "a/data", put together from the format's description.
std::string archive(const std::string& content, const Made& made = {}) {
  const std::string name = "a/data";
  const std::string local = "PK\x03\x04" + number(20, 2) + number(made.flags, 2) + number(made.method, 2) +
                            number(0, 4) + number(0, 12) + number(name.size(), 2) + number(5, 2) + name +
                            "extra" + content;
  const auto size = content.size() + made.more;
  std::string extra;
  if (made.large) {
    extra = number(7, 2) + number(1, 2) + "z" + number(1, 2) + number(24, 2) + number(size, 8) +
            number(size, 8) + number(0, 8);
  }
  const auto shortened = [&](std::uint64_t value) { return number(made.large ? 0xffffffff : value, 4); };
  const std::string entry = "PK\x01\x02" + number(0, 4) + number(made.flags, 2) + number(made.method, 2) +
                            number(0, 4) + number(made.checksum.value_or(crc_of(content)), 4) +
                            shortened(size) + shortened(size) + number(name.size(), 2) +
                            number(extra.size(), 2) + number(0, 2) + number(0, 8) + shortened(0) + name +
                            extra;
  std::string directory;
  for (int i = 0; i < made.entries; ++i) directory += entry;
  const auto count = static_cast<std::uint64_t>(made.entries);
  std::string end;
  if (made.large) {
    end = "PK\x06\x06" + number(44, 8) + number(0, 4) + number(0, 8) + number(count, 8) + number(count, 8) +
          number(directory.size(), 8) + number(local.size(), 8);
    end += "PK\x06\x07" + number(0, 4) + number(local.size() + directory.size(), 8) + number(1, 4);
  }
  end += "PK\x05\x06" + number(0, 4) + number(made.large ? 0xffff : count, 2) +
         number(made.large ? 0xffff : count, 2) + shortened(directory.size()) + shortened(local.size()) +
         number(made.comment.size(), 2) + made.comment;
  return local + directory + end;
}

/// What the only record of an archive of these bytes holds.
std::string content(const std::string& bytes) {
  const TemporaryFolder folder;
  const ZipArchive made(folder.write("made.zip", bytes));
  REQUIRE(made.sizes().size() == 1);
  std::string text(made.sizes().at("a/data"), '\0');
  made.read("a/data", text.data());
  return text;
}

std::string refusal(const std::string& bytes) {
  return message_of<DataError>([&] { static_cast<void>(content(bytes)); });
}

}  // namespace

TEST_CASE("a record is found, with places of 32 and of 64 bits, and ahead of a comment") {
  CHECK(content(archive("the content")) == "the content");
  CHECK(content(archive("the content", {.large = true})) == "the content");
  CHECK(content(archive("", {.comment = "a comment"})).empty());
}

TEST_CASE("an archive is known by its first bytes") {
  const TemporaryFolder folder;
  BinaryFile made(folder.write("made.zip", archive("x")));
  CHECK(is_zip(made));
  BinaryFile short_one(folder.write("short", "PK"));
  CHECK_FALSE(is_zip(short_one));
}

TEST_CASE("compressed and encrypted records are refused as such") {
  CHECK(refusal(archive("x", {.method = 8}))
            .find("record 'a/data' is compressed, unlike in files of PyTorch") != std::string::npos);
  CHECK(refusal(archive("x", {.flags = 1})).find("is encrypted") != std::string::npos);
}

TEST_CASE("sizes that the file cannot hold are refused before anything is read") {
  const TemporaryFolder folder;
  for (const bool large : {false, true}) {
    const auto file =
        folder.write("made.zip", archive("x", {.large = large, .more = std::uint64_t{1} << 31U}));
    CHECK(message_of<DataError>([&] {
            const ZipArchive opened(file);
          }).find("record 'a/data' is larger than the file") != std::string::npos);
  }
  CHECK(refusal(archive("x", {.more = 8})).find("is damaged: the checksum") != std::string::npos);
  CHECK(refusal(archive("x", {.more = 90})).find("record 'a/data' ends early") != std::string::npos);
}

TEST_CASE("two records of one name are refused") {
  CHECK(refusal(archive("x", {.entries = 2})).find("two records have the name 'a/data'") !=
        std::string::npos);
}

TEST_CASE("a checksum of 0 is none, and any other is compared") {
  CHECK(content(archive("the content", {.checksum = 0})) == "the content");
  CHECK(refusal(archive("the content", {.checksum = 1})).find("the checksum of its record 'a/data' is") !=
        std::string::npos);
}

TEST_CASE("changed content is found by its checksum") {
  auto bytes = archive("the content");
  bytes[bytes.find("content")] = 'C';
  CHECK(refusal(bytes).find("is damaged: the checksum of its record 'a/data' is") != std::string::npos);
}

TEST_CASE("every cut and every changed byte gives the content or an error") {
  for (const bool large : {false, true}) {
    const auto whole = archive("the content", {.large = large});
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK_FALSE(refusal(whole.substr(0, size)).empty());
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const int change : {1, 0x80, 0xff}) {
        auto bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ change);
        const TemporaryFolder folder;
        const auto file = folder.write("changed.zip", bytes);
        CAPTURE(at);
        try {
          const ZipArchive opened(file);
          for (const auto& [name, size] : opened.sizes()) {
            REQUIRE(size <= bytes.size());
            std::string text(size, '\0');
            opened.read(name, text.data());
            CHECK(text == "the content");
          }
        } catch (const DataError&) {
        }
      }
    }
  }
}
