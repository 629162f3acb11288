// SHA-256 (FIPS 180-4): what a file holds, told in 64 digits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace kindred::file {

class Sha256 {
 public:
  void add(const void* data, std::size_t size);
  /// 64 lower-case hexadecimal digits; nothing can be added any more.
  [[nodiscard]] std::string finish();

 private:
  void compress(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> pending_{};
  std::uint64_t size_ = 0;
};

/// Of a file's bytes, as sha256sum prints it. Throws DataError when the file cannot be read.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace kindred::file
