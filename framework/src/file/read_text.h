// A whole text file.
#pragma once

#include <filesystem>
#include <string>

namespace kindred::file {

/// Throws DataError when it cannot be read.
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

}  // namespace kindred::file
