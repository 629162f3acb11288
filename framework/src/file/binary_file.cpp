#include "file/binary_file.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "file/read_error.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t buffer_size = 1U << 16U;

}  // namespace

ReadError::~ReadError() = default;

BinaryFile::BinaryFile(fs::path file) : file_(std::move(file)) {
  std::error_code error;
  const auto status = fs::status(file_, error);
  if (status.type() == fs::file_type::not_found) throw DataError(file_, "does not exist");
  if (error) throw ReadError(file_, "cannot be read: " + error.message());
  if (!fs::is_regular_file(status)) throw DataError(file_, "is not a file");
  errno = 0;
  stream_.open(file_, std::ios::binary);
  if (!stream_) throw ReadError(file_, "cannot be read: " + std::generic_category().message(errno));
  stream_.seekg(0, std::ios::end);
  const auto end = stream_.tellg();
  if (end < 0) throw ReadError(file_, "cannot be read: " + std::generic_category().message(errno));
  size_ = static_cast<std::uint64_t>(end);
}

void BinaryFile::read(std::uint64_t offset, void* data, std::uint64_t size) {
  if (offset > size_ || size > size_ - offset) {
    throw DataError(
        file_, "is truncated: it ends before byte " + std::to_string(offset) + " + " + std::to_string(size));
  }
  errno = 0;
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(offset));
  stream_.read(static_cast<char*>(data), static_cast<std::streamsize>(size));
  if (static_cast<std::uint64_t>(stream_.gcount()) != size) {
    throw ReadError(
        file_, "cannot be read: " + (errno != 0 ? std::generic_category().message(errno)
                                                : std::string("the file was truncated while it was read")));
  }
}

BinaryCursor::BinaryCursor(BinaryFile& file, std::uint64_t begin, std::uint64_t end)
    : file_(file), position_(begin), end_(end) {}

BinaryCursor::BinaryCursor(BinaryFile& file, std::vector<std::uint8_t> content)
    : file_(file), position_(0), end_(content.size()), buffer_(std::move(content)) {}

void BinaryCursor::require(std::uint64_t count) const {
  if (count > left()) {
    throw DataError(file_.file(), "is truncated: it ends in the middle of its content");
  }
}

std::uint8_t BinaryCursor::byte() {
  require(1);
  if (position_ < buffer_begin_ || position_ - buffer_begin_ >= buffer_.size()) {
    buffer_begin_ = position_;
    buffer_.resize(std::min(buffer_size, left()));
    file_.read(position_, buffer_.data(), buffer_.size());
  }
  return buffer_[static_cast<std::size_t>(position_++ - buffer_begin_)];
}

std::string BinaryCursor::bytes(std::uint64_t count) {
  require(count);
  std::string text;
  text.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) text += static_cast<char>(byte());
  return text;
}

std::string BinaryCursor::line() {
  std::string text;
  for (auto next = byte(); next != '\n'; next = byte()) text += static_cast<char>(next);
  return text;
}

std::uint64_t BinaryCursor::little_endian(std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number |= std::uint64_t{byte()} << (8 * i);
  return number;
}

void BinaryCursor::skip(std::uint64_t count) {
  require(count);
  position_ += count;
}

}  // namespace kindred::file
