#include "file/zip.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <cstdio>
#include <optional>
#include <vector>

#include "kindred/core/error.h"
#include "text/printable.h"

namespace kindred::file {
namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t directory_signature = 0x02014b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr const char* end_signature = "PK\x05\x06";
constexpr std::uint64_t end_size = 22;
constexpr std::uint64_t locator64_size = 20;
constexpr std::uint64_t longest_comment = 0xffff;
constexpr std::uint32_t in_extra_field = 0xffffffff;
constexpr std::uint16_t extra64 = 1;

/// Where the directory of the records stands.
struct Directory {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t count = 0;
};

class DirectoryReader {
 public:
  explicit DirectoryReader(BinaryFile& file) : file_(file) {}

  std::map<std::string, ZipRecord> read() {
    const auto directory = find_directory();
    BinaryCursor cursor(file_, directory.begin, directory.end);
    std::map<std::string, ZipRecord> records;
    for (std::uint64_t i = 0; i < directory.count; ++i) read_entry(cursor, records);
    return records;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(file_.file(), "is damaged or truncated: " + what);
  }

  void require_within(std::uint64_t begin, std::uint64_t size) const {
    if (begin > file_.size() || size > file_.size() - begin)
      fail("its list of records points outside the file");
  }

  [[nodiscard]] BinaryCursor at(std::uint64_t begin, std::uint64_t size) {
    require_within(begin, size);
    return {file_, begin, begin + size};
  }

  /// The end record stands at the end of the file, ahead of a comment.
  [[nodiscard]] std::uint64_t find_end() {
    if (file_.size() < end_size) fail("it has only " + std::to_string(file_.size()) + " bytes");
    const auto searched = std::min(file_.size(), end_size + longest_comment);
    std::string tail(searched, '\0');
    file_.read(file_.size() - searched, tail.data(), searched);
    for (auto i = searched - end_size + 1; i-- > 0;) {
      if (tail.compare(i, 4, end_signature) == 0) return file_.size() - searched + i;
    }
    fail("the list of records at its end is missing");
  }

  [[nodiscard]] Directory find_directory() {
    const auto end = find_end();
    auto cursor = at(end, end_size);
    cursor.skip(4);
    const auto disk = cursor.little_endian(2);
    const auto directory_disk = cursor.little_endian(2);
    cursor.skip(2);
    Directory directory;
    directory.count = cursor.little_endian(2);
    auto size = cursor.little_endian(4);
    directory.begin = cursor.little_endian(4);
    if (disk == 0xffff || directory.count == 0xffff || size == in_extra_field ||
        directory.begin == in_extra_field) {
      if (end < locator64_size) fail("the list of records at its end is missing");
      auto locator = at(end - locator64_size, locator64_size);
      if (locator.little_endian(4) != locator64_signature) fail("the list of records at its end is missing");
      locator.skip(4);
      auto end64 = at(locator.little_endian(8), 56);
      if (end64.little_endian(4) != end64_signature) fail("the list of records at its end is missing");
      end64.skip(28);
      directory.count = end64.little_endian(8);
      size = end64.little_endian(8);
      directory.begin = end64.little_endian(8);
    } else if (disk != 0 || directory_disk != 0) {
      fail("it is one part of a multi-part archive");
    }
    require_within(directory.begin, size);
    directory.end = directory.begin + size;
    return directory;
  }

  void read_entry(BinaryCursor& cursor, std::map<std::string, ZipRecord>& records) {
    if (cursor.little_endian(4) != directory_signature) fail("its list of records is invalid");
    cursor.skip(4);  // versions
    const auto flags = cursor.little_endian(2);
    const auto method = cursor.little_endian(2);
    cursor.skip(4);  // time and date
    ZipRecord record;
    record.crc = static_cast<std::uint32_t>(cursor.little_endian(4));
    std::uint64_t stored = cursor.little_endian(4);
    record.size = cursor.little_endian(4);
    const auto name_size = cursor.little_endian(2);
    const auto extra_size = cursor.little_endian(2);
    const auto comment_size = cursor.little_endian(2);
    cursor.skip(8);  // disk, attributes
    std::uint64_t local = cursor.little_endian(4);
    const auto name = cursor.bytes(name_size);
    read_extra(cursor, extra_size, record.size, stored, local);
    cursor.skip(comment_size);

    if ((flags & 1U) != 0) throw DataError(file_.file(), "is encrypted, which is not supported");
    record.compressed = method != 0;
    if (!record.compressed && stored != record.size)
      fail("record '" + text::printable(name) + "' has two sizes");
    record.size = stored;
    auto header = at(local, 30);
    if (header.little_endian(4) != local_signature)
      fail("record '" + text::printable(name) + "' is not at its listed position");
    header.skip(22);
    const auto local_name = header.little_endian(2);
    const auto local_extra = header.little_endian(2);
    record.begin = local + 30 + local_name + local_extra;
    require_within(record.begin, record.size);
    if (!records.emplace(name, record).second)
      fail("two records have the name '" + text::printable(name) + "'");
  }

  /// Sizes and places of 64 bits stand in the extra field, in this order, each where the short one is full.
  void read_extra(BinaryCursor& cursor, std::uint64_t size, std::uint64_t& record_size, std::uint64_t& stored,
                  std::uint64_t& local) {
    if (size > cursor.left()) fail("its list of records is invalid");
    const auto end = cursor.position() + size;
    while (end - cursor.position() >= 4) {
      const auto id = cursor.little_endian(2);
      auto field = cursor.little_endian(2);
      if (field > end - cursor.position()) break;
      if (id == extra64) {
        for (auto* value : {&record_size, &stored, &local}) {
          if (*value != in_extra_field || field < 8) continue;
          *value = cursor.little_endian(8);
          field -= 8;
        }
      }
      cursor.skip(field);
    }
    cursor.skip(end - cursor.position());
  }

  BinaryFile& file_;
};

}  // namespace

bool is_zip(BinaryFile& file) {
  if (file.size() < 4) return false;
  std::string start(4, '\0');
  file.read(0, start.data(), start.size());
  return start == "PK\x03\x04";
}

std::map<std::string, ZipRecord> read_zip_directory(BinaryFile& file) {
  return DirectoryReader(file).read();
}

void require_stored(const BinaryFile& file, const std::string& name, const ZipRecord& record) {
  if (!record.compressed) return;
  throw DataError(file.file(),
                  "its record '" + text::printable(name) +
                      "' is compressed, unlike in files of PyTorch; save the weights again with torch.save");
}

void check_zip_record(const BinaryFile& file, const std::string& name, const ZipRecord& record,
                      const void* bytes) {
  if (record.crc == 0) return;
  boost::crc_32_type crc;
  crc.process_bytes(bytes, record.size);
  if (crc.checksum() == record.crc) return;
  char text[64];
  std::snprintf(text, sizeof text, "%08x, but was %08x when it was written",
                static_cast<unsigned>(crc.checksum()), static_cast<unsigned>(record.crc));
  throw DataError(file.file(),
                  "is damaged: the checksum of its record '" + text::printable(name) + "' is " + text);
}

}  // namespace kindred::file
