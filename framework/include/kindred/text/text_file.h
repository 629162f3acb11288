// Whole text files, and text that has to be shown although it is not UTF-8.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "kindred/core/export.h"

namespace kindred {

/// How many bytes the character of UTF-8 at the beginning of a text has; 0 when there is none.
/// @param text not empty
[[nodiscard]] KINDRED_API std::size_t utf8_length(std::string_view text);

/// Whether a text is valid UTF-8 (Unicode 15, table 3-7). Names of files and texts of lists must be: they end
/// up in JSON and TOML.
[[nodiscard]] KINDRED_API bool is_utf8(std::string_view text);

/// A text for a message: bytes that are not UTF-8, and control characters, as \xNN: "IMG_\xE9.jpg".
[[nodiscard]] KINDRED_API std::string escaped(std::string_view text);

/// Why a path cannot be opened as a file: "does not exist", "is a folder", "is a pipe, socket or device, not
/// a file", "cannot be read: Permission denied"; "" for a regular file. Opening a pipe would wait for ever.
[[nodiscard]] KINDRED_API std::string why_not_a_file(const std::filesystem::path& file);

/// The text of a file without a byte order mark. Throws DataError if it is not a regular file, cannot be
/// read, holds a zero byte or is not UTF-8; the latter two name the line.
[[nodiscard]] KINDRED_API std::string read_text_file(const std::filesystem::path& file);

}  // namespace kindred
