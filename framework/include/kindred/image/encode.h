// Images as the bytes of a file that is not written, or not here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// The bytes of a file of this format. Throws DataError when there is no memory for them, or the image is too
/// large for the format.
/// @param image CV_8UC3, R, G, B
/// @param ending ".png", ".jpg" or another of write_image() (image.h)
/// @param name what errors call it
/// @param options of cv::imencode, such as {cv::IMWRITE_JPEG_QUALITY, 85}
[[nodiscard]] KINDRED_API std::vector<std::uint8_t> encode_image(const cv::Mat& image,
                                                                 const std::string& ending,
                                                                 const std::filesystem::path& name,
                                                                 const std::vector<int>& options = {});

}  // namespace kindred
