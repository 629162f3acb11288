// Zip archives whose records are stored as they are, which is how PyTorch writes its files (PKWARE
// APPNOTE 6.3, with the extension for more than 4 GB).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "file/binary_file.h"

namespace kindred::file {

struct ZipRecord {
  std::uint64_t begin = 0;  ///< of its bytes in the file
  std::uint64_t size = 0;
  std::uint32_t crc = 0;    ///< 0 also when it was written without a checksum
  bool compressed = false;  ///< its bytes are then not its content
};

/// Whether a file begins as a zip archive with records does.
[[nodiscard]] bool is_zip(BinaryFile& file);

/// The records by name; all of them lie within the file. Throws DataError for what is damaged, cut off or
/// encrypted.
[[nodiscard]] std::map<std::string, ZipRecord> read_zip_directory(BinaryFile& file);

/// Throws DataError naming a record that is compressed.
void require_stored(const BinaryFile& file, const std::string& name, const ZipRecord& record);

/// Throws DataError naming the record when the bytes are not those that its checksum was made of.
void check_zip_record(const BinaryFile& file, const std::string& name, const ZipRecord& record,
                      const void* bytes);

}  // namespace kindred::file
