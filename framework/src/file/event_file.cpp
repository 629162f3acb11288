#include "file/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::file {
namespace {

constexpr std::array<std::uint32_t, 256> castagnoli_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78U : 0U);
    table[i] = value;
  }
  return table;
}

std::string event_error() {
  return "cannot be written: " + std::generic_category().message(errno);
}

// --- protobuf's wire format
// -----------------------------------------------------------------------------------

enum WireType : std::uint32_t { varint = 0, eight_bytes = 1, sized = 2, four_bytes = 5 };

template <class Unsigned>
void put_little_endian(std::string& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i));
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_key(std::string& out, std::uint32_t field, WireType type) {
  put_varint(out, field << 3 | type);
}

void put_sized(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_key(out, field, sized);
  put_varint(out, bytes.size());
  out += bytes;
}

/// Event, up to the field that says what it is.
std::string event_at(std::int64_t step, double wall_time) {
  std::string event;
  put_key(event, 1, eight_bytes);
  put_little_endian(event, std::bit_cast<std::uint64_t>(wall_time));
  put_key(event, 2, varint);
  put_varint(event, static_cast<std::uint64_t>(step));
  return event;
}

/// So that a checksum over data with checksums in them differs from both.
std::uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8U;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = castagnoli_table();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xffU] ^ (crc >> 8);
  return ~crc;
}

EventFile::EventFile(std::filesystem::path file, double wall_time) : file_(std::move(file)) {
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw DataError(file_, event_error());
  try {
    auto event = event_at(0, wall_time);
    put_sized(event, 3, "brain.Event:2");  // file_version
    append(event);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

EventFile::~EventFile() {
  ::close(descriptor_);
}

void EventFile::start_session(std::int64_t step, double wall_time) {
  std::string session;
  put_key(session, 1, varint);  // status
  put_varint(session, 1);       // START
  auto event = event_at(step, wall_time);
  put_sized(event, 7, session);  // session_log
  append(event);
}

void EventFile::add(std::int64_t step, double wall_time, std::span<const Scalar> scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    std::string one;
    put_sized(one, 1, tag);
    put_key(one, 2, four_bytes);  // simple_value
    put_little_endian(one, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    put_sized(summary, 1, one);
  }
  append_summary(step, wall_time, summary);
}

void EventFile::add(std::int64_t step, double wall_time, const Image& image) {
  std::string pixels;
  put_key(pixels, 1, varint);
  put_varint(pixels, static_cast<std::uint64_t>(image.height));
  put_key(pixels, 2, varint);
  put_varint(pixels, static_cast<std::uint64_t>(image.width));
  put_key(pixels, 3, varint);  // colorspace
  put_varint(pixels, 3);       // RGB
  put_sized(pixels, 4, image.bytes);
  std::string one;
  put_sized(one, 1, image.tag);
  put_sized(one, 4, pixels);
  std::string summary;
  put_sized(summary, 1, one);
  append_summary(step, wall_time, summary);
}

void EventFile::append_summary(std::int64_t step, double wall_time, const std::string& summary) {
  auto event = event_at(step, wall_time);
  put_sized(event, 5, summary);
  append(event);
}

void EventFile::append(const std::string& event) {
  std::string record;
  put_little_endian(record, static_cast<std::uint64_t>(event.size()));
  put_little_endian(record, masked_crc(record));
  record += event;
  put_little_endian(record, masked_crc(event));
  // One write, so that a reader that follows the file never sees half a record.
  ssize_t written = 0;
  do {
    written = ::write(descriptor_, record.data(), record.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) throw DataError(file_, event_error());
  if (written != static_cast<ssize_t>(record.size()))
    throw DataError(file_, "cannot be written: the disk is full");
}

}  // namespace kindred::file
