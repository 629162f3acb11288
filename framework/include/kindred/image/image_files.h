// Which files are images, and which images a folder holds.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Whether the name ends like that of an image (.jpg, .png, .heic, ...), in lower or upper case. Names that
/// begin with '.' are hidden files and never images. The file need not exist.
[[nodiscard]] KINDRED_API bool has_image_ending(const std::filesystem::path& file);

/// Whether a file is an image: it has such a name, or is a regular file whose content is one; never when it
/// is hidden or a folder.
[[nodiscard]] KINDRED_API bool is_image_file(const std::filesystem::path& file);

enum class Depth { folder_alone, all_below };

/// The images in a folder by is_image_file(), also those of formats that cannot be decoded, as paths relative
/// to it with '/', sorted by bytes. Other files (Thumbs.db) and hidden folders are skipped; links to folders
/// are followed. Throws DataError if the folder is missing or cannot be listed, or the name of an image is
/// not UTF-8, which lists, JSON and TOML must be.
[[nodiscard]] KINDRED_API std::vector<std::string> list_images(const std::filesystem::path& folder,
                                                               Depth depth);

/// Whether list_images() would find anything; stops at the first image. Never throws: false for what is not a
/// folder or cannot be listed.
[[nodiscard]] KINDRED_API bool has_images(const std::filesystem::path& folder, Depth depth);

/// What a folder without images of its own holds instead, for messages: "its images are in folders below it:
/// 'a', 'b' and 3 more", "it holds 2 videos ('a.mp4', ...)", "it is empty".
[[nodiscard]] KINDRED_API std::string what_is_instead_of_images(const std::filesystem::path& folder);

}  // namespace kindred
