// Zip archives whose records are stored as they are, which is how PyTorch writes its files. Read with libzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "file/binary_file.h"

struct zip;  // libzip's zip_t

namespace kindred::file {

/// Whether a file begins as a zip archive with records does.
[[nodiscard]] bool is_zip(BinaryFile& file);

class ZipArchive {
 public:
  /// Throws DataError for what is damaged, cut off or encrypted.
  explicit ZipArchive(std::filesystem::path file);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  /// What read() gives of each record, in bytes; never more than the file has.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& sizes() const { return sizes_; }
  /// Reads a whole record, which must be there, to `data`. Throws DataError naming the record when it is
  /// compressed, cut off or not what its checksum was made of. A checksum of 0 is none: PyTorch can be told
  /// to write none.
  void read(const std::string& record, void* data) const;

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::filesystem::path file_;
  std::unique_ptr<zip, void (*)(zip*)> archive_;
  std::map<std::string, std::uint64_t> sizes_;
  std::map<std::string, std::uint64_t> places_;  ///< in libzip's list
};

}  // namespace kindred::file
