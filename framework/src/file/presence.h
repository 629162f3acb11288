// Whether there is a file.
#pragma once

#include <filesystem>

namespace kindred::file {

/// Whether something lies at a path. Throws ReadError (read_error.h) when the system does not say, as in a
/// folder without permission: what cannot be looked at is not absent.
[[nodiscard]] bool is_there(const std::filesystem::path& path);

}  // namespace kindred::file
