// What files hold, without reading again those that have not changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

namespace kindred::pipeline {

/// Where a run directory remembers them.
inline constexpr const char* file_hashes_name = ".file_hashes";

/// SHA-256 of files, remembered in a file of its own: a file whose size and time of change are the remembered
/// ones is not read again, as git does it.
class FileHashes {
 public:
  /// Reads what is remembered. A memory that is missing or damaged is an empty one.
  explicit FileHashes(std::filesystem::path memory);

  /// 64 hexadecimal digits. Throws DataError when the file cannot be read.
  [[nodiscard]] std::string of(const std::filesystem::path& file);
  /// Writes what is remembered, when something is new. Throws DataError.
  void save();

 private:
  struct Known {
    std::uintmax_t size = 0;
    std::int64_t changed = 0;  ///< nanoseconds
    std::string hash;
  };

  std::filesystem::path memory_;
  std::unordered_map<std::string, Known> known_;
  bool is_new_ = false;
};

}  // namespace kindred::pipeline
