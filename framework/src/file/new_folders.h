// Folders that are made for what is written into them.
#pragma once

#include <filesystem>
#include <system_error>

namespace kindred::file {

/// Makes a folder, and those above it, where they are not there yet, and puts their names on disk: a file is
/// no safer than the folder that it lies in. Throws DataError naming the folder and the system's reason.
void make_folders(const std::filesystem::path& folder);
/// The same for who has another word for it: throws only where a name cannot be put on disk.
/// @param error why a folder cannot be made
void make_folders(const std::filesystem::path& folder, std::error_code& error);

}  // namespace kindred::file
