// How a picture is to be turned, which cameras write into its EXIF data.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>

namespace kindred {

/// The tag Orientation of EXIF data (EXIF 2.3, 4.6.4); 1, upright, where there is none.
/// @param tiff the data without what a format puts before them: a TIFF file, which may be cut off anywhere
[[nodiscard]] std::int64_t exif_orientation(std::span<const std::uint8_t> tiff);

/// The orientation in the chunk EXIF of a WebP file (RFC 9649, 2.7.1.5); 1 where there is none.
[[nodiscard]] std::int64_t webp_orientation(std::span<const std::uint8_t> file);

/// Turned and mirrored upright.
/// @param orientation where row 0 and column 0 belong; what is not 1 to 8 turns nothing
[[nodiscard]] cv::Mat upright(const cv::Mat& image, std::int64_t orientation);

}  // namespace kindred
