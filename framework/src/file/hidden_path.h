// What a file or folder is called until it is complete.
#pragma once

#include <filesystem>

namespace kindred::file {

/// ".NAME.tmp" beside a target called NAME; for another number than 0 ".NAME.1.tmp" and so on.
/// @param shortened with less of NAME, so that the whole is no longer than NAME: where the system takes that,
/// it takes this, too
[[nodiscard]] std::filesystem::path hidden_path(const std::filesystem::path& target, int number,
                                                bool shortened);

}  // namespace kindred::file
