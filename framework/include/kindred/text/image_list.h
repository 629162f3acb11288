// Lists of images as the files of data sets have them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// One line of a list.
struct KINDRED_API ListLine {
  std::string name;         ///< what the line begins with; it may hold spaces
  std::int64_t number = 0;  ///< what follows it: an identity
  int line = 0;             ///< from 1
};

/// Reads lines `NAME`: a byte order mark, blanks at the end and empty lines are skipped; `number` is 0.
/// Throws DataError naming file and line when the file is missing, cannot be read or names nothing, and for a
/// name that stands in it twice.
[[nodiscard]] KINDRED_API std::vector<ListLine> read_name_list(const std::filesystem::path& file);

/// Reads lines `NAME NUMBER` in the same way; the number is whole and from 0.
[[nodiscard]] KINDRED_API std::vector<ListLine> read_numbered_list(const std::filesystem::path& file);

}  // namespace kindred
