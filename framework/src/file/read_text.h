// A whole text file.
#pragma once

#include <filesystem>
#include <istream>
#include <optional>
#include <string>

namespace kindred::file {

/// Throws DataError when there is no such file, and ReadError (file/read_error.h) when it cannot be read.
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

/// All that follows in an open file. Nothing when the system stops giving it, which errno explains; reading
/// by iterators would throw an exception without the name of the file.
[[nodiscard]] std::optional<std::string> read_rest(std::istream& in);

}  // namespace kindred::file
