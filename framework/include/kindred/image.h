// Images on their way from a file to a tensor.
//
// Everywhere in Kindred an image is a cv::Mat of H x W pixels with three channels in the order R, G, B:
// 8 bits a channel (CV_8UC3) until it is normalised, 32-bit floats (CV_32FC3) from then on.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>

#include "kindred/export.h"

namespace kindred {

/// Reads and decodes a file as 8-bit RGB; grey images become RGB, transparency is dropped.
/// Throws DataError naming the file when it is missing, unreadable, not an image or truncated.
[[nodiscard]] KINDRED_API cv::Mat read_image(const std::filesystem::path& file);

/// Writes an 8-bit RGB image; the file's ending chooses the format. Throws DataError.
KINDRED_API void write_image(const std::filesystem::path& file, const cv::Mat& image);

}  // namespace kindred
