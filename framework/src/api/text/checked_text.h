// What is asked of every text that is read.
#pragma once

#include <filesystem>
#include <string_view>

namespace kindred {

/// The text without a byte order mark. Throws DataError for a zero byte, UTF-16, or what is not UTF-8.
/// @param origin what errors call the text
[[nodiscard]] std::string_view checked_text(std::string_view text, const std::filesystem::path& origin);

}  // namespace kindred
