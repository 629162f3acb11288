// What files hold, without reading again those that have not changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

namespace kindred::pipeline {

/// Where a run directory remembers them.
inline constexpr const char* file_hashes_name = ".file_hashes";

/// SHA-256 of files, remembered in a file of its own. A file is not read again while it is the same one of
/// the file system (inode) and its size, its time of modification and its time of change are the remembered
/// ones, as git does it. Programs can set the time of modification, such as `cp -p` and `rsync -t`; the time
/// of change only the kernel sets.
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
    std::uintmax_t inode = 0;
    std::uintmax_t size = 0;
    std::int64_t modified = 0;  ///< nanoseconds
    std::int64_t changed = 0;   ///< nanoseconds
    std::string hash;

    [[nodiscard]] bool is_unchanged(const Known& now) const {
      return inode == now.inode && size == now.size && modified == now.modified && changed == now.changed;
    }
  };

  std::filesystem::path memory_;
  std::unordered_map<std::string, Known> known_;
  bool is_new_ = false;
};

}  // namespace kindred::pipeline
