// A file's bytes, wherever they stand in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace kindred::file {

class BinaryFile {
 public:
  /// Throws DataError when there is no such file, and ReadError (file/read_error.h) when it cannot be read.
  explicit BinaryFile(std::filesystem::path file);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Throws DataError when the file has fewer bytes, and ReadError when they cannot be read.
  void read(std::uint64_t offset, void* data, std::uint64_t size);

 private:
  std::filesystem::path file_;
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

/// A part of a file, read from its beginning to its end. Nothing is allocated that the part does not hold.
class BinaryCursor {
 public:
  /// @param end at most the file's size
  BinaryCursor(BinaryFile& file, std::uint64_t begin, std::uint64_t end);
  /// Reads `content`, which came from the file in another way; positions are those in it.
  BinaryCursor(BinaryFile& file, std::vector<std::uint8_t> content);

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] std::uint64_t left() const { return end_ - position_; }
  /// Each throws DataError when the part ends before.
  [[nodiscard]] std::uint8_t byte();
  [[nodiscard]] std::string bytes(std::uint64_t count);
  /// Up to and without the next '\n'.
  [[nodiscard]] std::string line();
  /// A whole number of `count` bytes (at most 8), the lowest first.
  [[nodiscard]] std::uint64_t little_endian(std::size_t count);
  void skip(std::uint64_t count);

 private:
  void require(std::uint64_t count) const;

  BinaryFile& file_;
  std::uint64_t position_;
  std::uint64_t end_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t buffer_begin_ = 0;
};

}  // namespace kindred::file
