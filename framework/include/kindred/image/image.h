// Images on their way from a file to a tensor.
//
// Everywhere in Kindred an image is a cv::Mat of H x W pixels with three channels in the order R, G, B:
// 8 bits a channel (CV_8UC3) until it is normalised, 32-bit floats (CV_32FC3) from then on.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Reads and decodes a file as 8-bit RGB; grey images become RGB, transparency is dropped, 16 bits become 8.
/// A picture that says it must be turned (EXIF orientation) is turned, as every viewer shows it.
/// Throws DataError naming the file when it is missing, unreadable, empty, not an image or truncated: a JPEG
/// or PNG that stops before its end mark is refused, where decoders would fill up with grey. Bytes after the
/// end mark are allowed.
[[nodiscard]] KINDRED_API cv::Mat read_image(const std::filesystem::path& file);

/// Writes an 8-bit RGB image; the file's ending chooses the format (JPEG quality 95). Throws DataError when
/// the ending is unknown or the file cannot be written; no half-written file is left then.
KINDRED_API void write_image(const std::filesystem::path& file, const cv::Mat& image);

/// Whether a file's ending says that it is an image: .jpg, .jpeg, .png, .bmp, .webp, .tif or .tiff, in small
/// or capital letters. Names that begin with '.' are hidden files and never images.
[[nodiscard]] KINDRED_API bool has_image_ending(const std::filesystem::path& file);

enum class Depth { folder_alone, all_below };

/// The images in a folder, as paths relative to it with '/', in the order of their bytes. Other files
/// (Thumbs.db) and hidden folders are passed over; links to folders are followed. Throws DataError when the
/// folder is missing or cannot be listed.
[[nodiscard]] KINDRED_API std::vector<std::string> list_images(const std::filesystem::path& folder,
                                                               Depth depth);

}  // namespace kindred
