// What lies in a folder.
#pragma once

#include <filesystem>
#include <system_error>
#include <vector>

namespace kindred::file {

/// The paths of what lies in a folder, in no order. Throws ReadError (read_error.h) where the system does not
/// list it to its end: a loop over std::filesystem::directory_iterator then throws without the folder's name,
/// or stops as if that were all.
/// @return none where there is no such folder
[[nodiscard]] std::vector<std::filesystem::path> folder_entries(const std::filesystem::path& folder);
/// The same for who needs no more than what can be listed.
/// @param error why that may not be all
[[nodiscard]] std::vector<std::filesystem::path> folder_entries(const std::filesystem::path& folder,
                                                                std::error_code& error);

}  // namespace kindred::file
