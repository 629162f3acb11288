// Reading and writing images.
//
// Everywhere in Kindred an image is a cv::Mat of H x W pixels with three channels in the order R, G, B: 8
// bits per channel (CV_8UC3) until it is normalized, 32-bit floats (CV_32FC3) afterwards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>

#include "kindred/core/export.h"

namespace kindred {

/// Reads and decodes a file as 8-bit RGB; gray images become RGB, transparency is dropped, 16 bits become 8.
/// The EXIF orientation is applied, as in any viewer. The format is that of the content, whatever the name
/// says. Throws DataError naming the file if it is missing, not a regular file, unreadable, empty, not an
/// image, of a format that OpenCV does not decode, larger than pixel_limit() or truncated: a JPEG or PNG that
/// stops before its end mark is refused, where decoders would fill the rest with gray. Bytes after the end
/// mark are allowed.
[[nodiscard]] KINDRED_API cv::Mat read_image(const std::filesystem::path& file);

/// The most pixels that read_image() decodes on this thread: where images are read for a recipe, what that
/// says (loader.max_megapixels); elsewhere that of the process, 50 million until it is changed. The size is
/// taken from the header, before anything is decoded.
[[nodiscard]] KINDRED_API std::int64_t pixel_limit();
/// Sets that of the process.
/// @param pixels at least 1
KINDRED_API void set_pixel_limit(std::int64_t pixels);

/// Writes an 8-bit RGB image; the file extension selects the format (JPEG quality 95). Throws DataError if
/// the extension is unknown or the file cannot be written, and leaves no partial file.
KINDRED_API void write_image(const std::filesystem::path& file, const cv::Mat& image);

}  // namespace kindred
