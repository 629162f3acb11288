// The pictures of a search beside each other.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "kindred/search.h"

namespace kindred::command {

/// Draws a PNG file with a row for each image: the image, framed blue, then its matches with rank,
/// similarity, label and camera; ten beside each other, the others below. A match whose picture is not known
/// or cannot be read is a grey box with its id. Atomic.
/// @param images 8-bit RGB
void draw_search_sheet(const std::filesystem::path& file, const std::vector<cv::Mat>& images,
                       const std::vector<std::vector<Match>>& matches);

}  // namespace kindred::command
