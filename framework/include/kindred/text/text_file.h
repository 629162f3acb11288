// Whole text files.
#pragma once

#include <filesystem>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

/// Why a path cannot be opened as a file: "does not exist", "is a folder", "is a pipe, socket or device, not
/// a file", "cannot be read: Permission denied"; "" for a regular file. Opening a pipe would wait for ever.
[[nodiscard]] KINDRED_API std::string why_not_a_file(const std::filesystem::path& file);

/// The text of a file without a byte order mark. Throws DataError if it is not a regular file, cannot be
/// read, holds a zero byte or is not UTF-8; the latter two name the line.
[[nodiscard]] KINDRED_API std::string read_text_file(const std::filesystem::path& file);

}  // namespace kindred
