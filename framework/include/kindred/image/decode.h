// Images that are not in a file: what came over a network, or lies in an archive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// Decodes the content of a file as read_image() (image.h) does, with the same limit of pixels, checked
/// before anything is decoded, and the same errors.
/// @param name what errors call it
[[nodiscard]] KINDRED_API cv::Mat decode_image(const std::vector<std::uint8_t>& bytes,
                                               const std::filesystem::path& name);

}  // namespace kindred
