// Reading, writing and listing images.
//
// Everywhere in Kindred an image is a cv::Mat of H x W pixels with three channels in the order R, G, B: 8
// bits per channel (CV_8UC3) until it is normalized, 32-bit floats (CV_32FC3) afterwards.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Reads and decodes a file as 8-bit RGB; gray images become RGB, transparency is dropped, 16 bits become 8.
/// The EXIF orientation is applied, as in any viewer. Throws DataError naming the file if it is missing,
/// unreadable, empty, not an image or truncated: a JPEG or PNG that stops before its end mark is refused,
/// where decoders would fill the rest with gray. Bytes after the end mark are allowed.
[[nodiscard]] KINDRED_API cv::Mat read_image(const std::filesystem::path& file);

/// Writes an 8-bit RGB image; the file extension selects the format (JPEG quality 95). Throws DataError if
/// the extension is unknown or the file cannot be written, and leaves no partial file.
KINDRED_API void write_image(const std::filesystem::path& file, const cv::Mat& image);

/// Whether the file has the extension of an image: .jpg, .jpeg, .png, .bmp, .webp, .tif or .tiff, in lower or
/// upper case. Names that begin with '.' are hidden files and never images.
[[nodiscard]] KINDRED_API bool has_image_ending(const std::filesystem::path& file);

enum class Depth { folder_alone, all_below };

/// The images in a folder, as paths relative to it with '/', sorted by bytes. Other files (Thumbs.db) and
/// hidden folders are skipped; links to folders are followed. Throws DataError if the folder is missing or
/// cannot be listed.
[[nodiscard]] KINDRED_API std::vector<std::string> list_images(const std::filesystem::path& folder,
                                                               Depth depth);

}  // namespace kindred
